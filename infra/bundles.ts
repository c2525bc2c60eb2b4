import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type BuildOptions, buildSync } from "esbuild";
import { CACHE, ROOT, sourceDigest } from "./source-digest.ts";

const FOLDER = join(CACHE, "bundles");

/** A bundle on disk: a folder named by its content, with one file in it. */
export interface Bundle {
  readonly folder: string;
  readonly file: string;
  /** SHA-256 of the file, hex. */
  readonly sha256: string;
}

const OPTIONS: BuildOptions = {
  absWorkingDir: ROOT,
  bundle: true,
  write: false,
  platform: "node",
  target: "node24",
  format: "esm",
  mainFields: ["module", "main"],
  minifySyntax: true,
  minifyWhitespace: true, // names are kept: stack traces stay readable
  legalComments: "none",
  logLevel: "silent",
  outdir: FOLDER,
  outExtension: { ".js": ".mjs" },
  // CommonJS dependencies ask for `require`, which a module does not have.
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
};

/**
 * Bundles entry points, name → source file from the repository's root, in one esbuild run: they share the parsing of the SDK,
 * which is why this takes one and a half seconds of processor time where a run for each function takes ten. Nothing is run
 * while no source has changed. Throws esbuild's BuildFailure.
 */
export function bundle(entries: Readonly<Record<string, string>>): Map<string, Bundle> {
  if (Object.keys(entries).length === 0) return new Map();
  const inputs = createHash("sha256")
    .update(JSON.stringify([entries, OPTIONS]))
    .update(sourceDigest("functions", "shared"));
  const list = join(FOLDER, `${inputs.digest("hex").slice(0, 16)}.json`);
  if (existsSync(list)) {
    const known = JSON.parse(readFileSync(list, "utf8")) as readonly (readonly [string, Bundle])[];
    if (known.every(([, { file }]) => existsSync(file))) return new Map(known);
  }
  const { outputFiles = [] } = buildSync({
    ...OPTIONS,
    entryPoints: Object.entries(entries).map(([name, source]) => ({ in: source, out: join(name, "index") })),
  });
  const bundles = new Map(
    outputFiles.map(({ path, contents }) => {
      const name = basename(dirname(path));
      return [name, store(name, contents)] as const;
    }),
  );
  const draft = `${list}.${process.pid}`;
  writeFileSync(draft, JSON.stringify([...bundles]));
  renameSync(draft, list);
  return bundles;
}

/** By content and by rename, so that several syntheses at once never see half a file. */
function store(name: string, contents: Uint8Array): Bundle {
  const sha256 = createHash("sha256").update(contents).digest("hex");
  const folder = join(FOLDER, `${name}-${sha256.slice(0, 16)}`);
  const file = join(folder, "index.mjs");
  if (!existsSync(file)) {
    const draft = `${folder}.${process.pid}`;
    mkdirSync(draft, { recursive: true });
    writeFileSync(join(draft, "index.mjs"), contents);
    try {
      renameSync(draft, folder);
    } catch (error) {
      rmSync(draft, { recursive: true });
      if (!existsSync(file)) throw error;
    }
  }
  return { folder, file, sha256 };
}
