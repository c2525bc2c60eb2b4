import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Manifest } from "vite";
import { afterAll, beforeAll, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "console-size-"));
let manifest: Manifest;

beforeAll(async () => {
  await build({
    configFile: join(import.meta.dirname, "vite.config.ts"),
    logLevel: "error",
    build: { outDir: folder, emptyOutDir: true, manifest: "manifest.json" },
  });
  manifest = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as Manifest;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Files of a chunk and of all that it imports at once, lazy imports apart. */
function filesOf(key: string, found = new Set<string>()): Set<string> {
  const chunk = manifest[key];
  if (chunk === undefined) throw new Error(`${key} is not in the manifest`);
  if (found.has(chunk.file)) return found;
  found.add(chunk.file);
  for (const imported of chunk.imports ?? []) filesOf(imported, found);
  return found;
}
const gzipKb = (files: Iterable<string>): number =>
  [...files].reduce((sum, file) => sum + gzipSync(readFileSync(join(folder, file)), { level: 9 }).length, 0) / 1024;

it("loads at most 120 KB of scripts before the fleet is there", () => {
  expect(gzipKb(filesOf("index.html"))).toBeLessThanOrEqual(120);
});

it("loads at most 30 KB of scripts for the chart, and only when there is one", () => {
  const first = filesOf("index.html");
  const chart = [...filesOf("meter/curve-chart.tsx")].filter((file) => !first.has(file));
  expect(chart.length).toBeGreaterThan(0);
  expect(gzipKb(chart)).toBeLessThanOrEqual(30);
});

it("brings no validator: schemas are types to the console", () => {
  for (const file of Object.values(manifest).map((chunk) => chunk.file))
    expect(readFileSync(join(folder, file), "utf8")).not.toContain("ZodError");
});

it("has nothing inline, as the content security policy demands", () => {
  const html = readFileSync(join(folder, "index.html"), "utf8");
  expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
  expect(html.match(/(?:src|href)="([^"]+)"/g)?.every((address) => /="\//.test(address))).toBe(true);
});
