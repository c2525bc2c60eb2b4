import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "..");
/** What is built from sources, named by their content. Survives nothing but `npm ci`. */
export const CACHE = join(ROOT, "node_modules", ".cache", "headrace");

const IGNORED = /(^|[\\/])(dist|\.vite|__pycache__)([\\/]|$)|\.test\.tsx?$/;

/** SHA-256 over names and contents of all sources in folders, without tests, and over the lock file: other tools build otherwise. */
export function sourceDigest(...folders: readonly string[]): string {
  const hash = createHash("sha256").update(readFileSync(join(ROOT, "package-lock.json")));
  for (const folder of folders) {
    const files = readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length))
      .filter((file) => !IGNORED.test(file))
      .sort();
    for (const file of files)
      hash
        .update(file)
        .update("\0")
        .update(readFileSync(join(ROOT, file)))
        .update("\0");
  }
  return hash.digest("hex");
}
