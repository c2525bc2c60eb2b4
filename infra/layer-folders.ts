import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { LAYERS, type LayerName } from "./resources.ts";
import { CACHE, ROOT } from "./source-digest.ts";

/**
 * What a layer is built for: `arm64`: Lambda's processors, brought by npm from the lock file; `here`: this machine, which has it
 * in node_modules; `none`: nothing is to be run.
 */
export type LayerTarget = "arm64" | "here" | "none";

/** A layer on disk; `absent`: why its packages are not in it: it may not be deployed. */
export interface LayerFolder {
  readonly folder: string;
  readonly absent?: string;
}

interface LockEntry {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
type Lock = Readonly<Record<string, LockEntry>>;

const FOLDER = join(CACHE, "layers");
/** Where a layer's packages lie in it: Lambda's NODE_PATH names it, for `require` and not for `import`. */
export const PACKAGES_IN_LAYER = join("nodejs", "node_modules");

const readLock = (): Lock =>
  (JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as { packages: Lock }).packages;

/** A package and all that it needs, as the lock file has them, versions and hashes included. Throws Error: not in the lock. */
function lockedWith(name: string, lock: Lock): Lock {
  const found: Record<string, LockEntry> = {};
  const add = (one: string): void => {
    const path = `node_modules/${one}`;
    if (path in found) return;
    const entry = lock[path];
    if (entry === undefined) throw new Error(`package-lock.json: expected ${one}, which a layer holds`);
    found[path] = entry;
    for (const other of Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })) add(other);
  };
  add(name);
  return found;
}

/** The folder of a layer, named by what is in it; built at most once. */
export function layerFolder(layer: LayerName, target: LayerTarget): LayerFolder {
  if (target === "none") {
    const folder = join(FOLDER, "none");
    mkdirSync(folder, { recursive: true });
    return { folder };
  }
  const { package: name } = LAYERS[layer];
  const packages = lockedWith(name, readLock());
  const digest = createHash("sha256")
    .update(JSON.stringify([name, packages, target]))
    .digest("hex")
    .slice(0, 16);
  const folder = join(FOLDER, `${layer}-${target}-${digest}`);
  if (existsSync(folder)) return { folder };
  const draft = `${folder}.${process.pid}`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(join(draft, "nodejs"), { recursive: true });
  const absent = target === "here" ? linkPackages(draft, packages) : installPackages(draft, name, packages);
  if (absent !== undefined) {
    rmSync(draft, { recursive: true });
    return { ...layerFolder(layer, "none"), absent };
  }
  try {
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
  return { folder };
}

/** Links to what is installed: a machine runs the very files that its tests ran. */
function linkPackages(draft: string, packages: Lock): undefined {
  for (const path of Object.keys(packages)) {
    if (!existsSync(join(ROOT, path))) continue; // of another platform
    const link = join(draft, "nodejs", path);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, path), link);
  }
}

/** `npm ci` for the other platform: no script is run, every hash of the lock file is checked, npm's cache serves again. */
function installPackages(draft: string, name: string, packages: Lock): string | undefined {
  const folder = join(draft, "nodejs");
  const root = {
    name: "layer",
    version: "0.0.0",
    private: true,
    dependencies: { [name]: packages[`node_modules/${name}`]?.version },
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify(root));
  writeFileSync(
    join(folder, "package-lock.json"),
    JSON.stringify({ ...root, lockfileVersion: 3, requires: true, packages: { "": root, ...packages } }),
  );
  const platform = ["--os", "linux", "--cpu", "arm64", "--libc", "glibc"];
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel", "error"];
  const { status, stderr, error } = spawnSync("npm", ["ci", "--prefer-offline", ...platform, ...quiet], {
    cwd: folder,
    encoding: "utf8",
    timeout: 120_000,
    // What the npm that started this was told about our own folder is not meant for this one.
    env: Object.fromEntries(
      Object.entries(process.env).filter(([key]) => !/^npm_(?!config_(registry|cache))/i.test(key)),
    ),
  });
  if (status === 0) return undefined;
  return error?.message ?? (stderr.trim().split("\n")[0] || `npm ended with ${status}`);
}
