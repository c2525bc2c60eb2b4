import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { CACHE, ROOT, sourceDigest } from "../source-digest.ts";

const KEPT = join(CACHE, "assemblies");
/** Some 50 MB each. */
const KEPT_MAX = 3;

/** The folder for an assembly of the present sources. Templates and assets name nothing outside of it: it may be copied. */
export function keptAssembly(context: Readonly<Record<string, string>>): string {
  const made = createHash("sha256")
    .update(sourceDigest("infra", "functions", "shared", "web"))
    .update(readFileSync(join(ROOT, "cdk.json")))
    .update(JSON.stringify([process.version, context]));
  return join(KEPT, made.digest("hex").slice(0, 16));
}

/** True: the assembly is there now. One that goes away while it is copied is made anew. */
export function takeAssembly(kept: string, outDir: string): boolean {
  if (!existsSync(kept)) return false;
  try {
    cpSync(kept, outDir, { recursive: true });
    return true;
  } catch {
    rmSync(outDir, { recursive: true, force: true });
    return false;
  }
}

/** Keeps a copy, and of others the newest. It appears whole, by rename: several at once are harmless. */
export function keepAssembly(outDir: string, kept: string): void {
  const draft = `${kept}.${process.pid}`;
  try {
    mkdirSync(KEPT, { recursive: true });
    cpSync(outDir, draft, { recursive: true });
    renameSync(draft, kept);
    const others = readdirSync(KEPT)
      .map((name) => join(KEPT, name))
      .map((folder) => ({ folder, at: statSync(folder).mtimeMs }))
      .sort((left, right) => right.at - left.at);
    for (const { folder } of others.slice(KEPT_MAX)) rmSync(folder, { recursive: true, force: true });
  } catch {
    // Somebody else keeps the same, or nothing can be kept here: the next one synthesises again.
    rmSync(draft, { recursive: true, force: true });
  }
}
