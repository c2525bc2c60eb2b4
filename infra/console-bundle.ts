import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "..");
const WEB = join(ROOT, "web");
const CACHE = join(ROOT, "node_modules", ".cache", "headrace");

/** What the built console depends on: its sources (tests apart) and the versions of what it bundles. */
function digestOfSources(): string {
  const hash = createHash("sha256");
  const sources = globSync("**/*", { cwd: WEB, withFileTypes: true, exclude: ["dist/**", "**/*.test.*"] })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const path of [...sources, join(ROOT, "package-lock.json")])
    hash.update(path.slice(ROOT.length)).update("\0").update(readFileSync(path));
  return hash.digest("hex").slice(0, 16);
}

/**
 * The console, built: a folder named by the content of its sources, made once and by rename, so that several syntheses at
 * once never see half a site. Throws the bundler's error.
 */
export async function buildConsole(): Promise<string> {
  const folder = join(CACHE, `console-${digestOfSources()}`);
  if (existsSync(folder)) return folder;
  const { build } = await import("vite"); // half a second that a kept site does not cost
  const draft = `${folder}.${process.pid}`;
  const { NODE_ENV } = process.env; // the build sets it, which must not be felt by what runs after it
  try {
    await build({
      configFile: join(WEB, "vite.config.ts"),
      logLevel: "error",
      build: { outDir: draft, emptyOutDir: true },
    });
  } finally {
    if (NODE_ENV === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = NODE_ENV;
  }
  try {
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}
