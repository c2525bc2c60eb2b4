import { readdirSync, readFileSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import type { Assembly, Json } from "./assembly.ts";
import type { S3Store } from "./queue-engine.ts";
import { StartupError } from "./startup-error.ts";
import type { LoadedResource } from "./template.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json",
};

const list = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);

/** Copies the sources' files to the bucket, markers replaced, as CDK's bucket deployment does; older files go. */
export function deployBucket(
  resource: LoadedResource,
  assembly: Assembly,
  s3: S3Store,
  rewrite: (text: string) => string,
): void {
  const bucket = resource.text("DestinationBucketName");
  const prefix = String(resource.property("DestinationBucketKeyPrefix") ?? "").replace(/\/$/, "");
  const markers = list(resource.property("SourceMarkers"));
  if (resource.property("Prune") !== false) s3.emptyBucket(bucket);
  for (const [index, key] of list(resource.property("SourceObjectKeys")).entries()) {
    const folder = assembly.assets.get(String(key));
    if (folder === undefined)
      throw new StartupError(`${resource.stack}.${resource.logicalId}: ${String(key)} is no asset of the assembly`);
    const replaced = Object.entries((markers[index] ?? {}) as Readonly<Record<string, Json>>);
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      const name = [prefix, relative(folder, path).split(sep).join("/")].filter((part) => part !== "").join("/");
      const type = TYPES[extname(entry.name)] ?? "application/octet-stream";
      s3.putObject(bucket, name, replaced.length === 0 ? readFileSync(path) : filled(path, replaced, rewrite), type);
    }
  }
}

/** Only a source with markers holds addresses of the deployment. */
function filled(path: string, markers: readonly [string, Json][], rewrite: (text: string) => string): Buffer {
  let text = readFileSync(path, "utf8");
  for (const [marker, value] of markers) text = text.replaceAll(marker, String(value));
  return Buffer.from(rewrite(text));
}
