import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CACHE, ROOT, sourceDigest } from "./source-digest.ts";

/**
 * Builds the console where its sources have changed, into a folder named by their content. Returns that folder, or undefined
 * when there is no console in the tree. Throws vite's errors.
 */
export async function buildConsole(): Promise<string | undefined> {
  if (!existsSync(join(ROOT, "web", "index.html"))) return undefined;
  const folder = join(CACHE, `console-${sourceDigest("web", "shared").slice(0, 16)}`);
  if (existsSync(join(folder, "index.html"))) return folder;
  const draft = `${folder}.${process.pid}`;
  const { build } = await import("vite"); // takes longer to load than everything else: only when it is needed
  await build({
    configFile: join(ROOT, "web", "vite.config.ts"),
    logLevel: "warn",
    build: { outDir: draft, emptyOutDir: true },
  });
  rmSync(join(draft, ".vite"), { recursive: true, force: true }); // the manifest is for tests
  try {
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true }); // another synthesis was first
    if (!existsSync(join(folder, "index.html"))) throw error;
  }
  return folder;
}
