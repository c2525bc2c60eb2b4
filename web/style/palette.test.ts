import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const css = readFileSync(join(import.meta.dirname, "tokens.css"), "utf8");
const [light = "", dark = ""] = css.split("@media (prefers-color-scheme: dark)");
const paletteIn = (text: string): Map<string, string> =>
  new Map([...text.matchAll(/(--[\w-]+): (#[0-9a-f]{6});/g)].map(([, name = "", colour = ""]) => [name, colour]));

/** WCAG 2.2, relative luminance of an sRGB colour `#rrggbb`. */
const luminance = (colour: string): number => {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const contrast = (one: string, other: string): number => {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
};

// What stands on what, and how much contrast it needs: text 4.5 (WCAG 1.4.3), lines and controls 3 (1.4.11).
const SURFACES = ["--ground", "--surface", "--sunken"];
const NEEDS: readonly (readonly [string, readonly string[], number])[] = [
  ["--text", SURFACES, 4.5],
  ["--muted", SURFACES, 4.5],
  ["--accent", SURFACES, 4.5],
  ["--on-accent", ["--accent", "--accent-strong"], 4.5],
  ["--accent-strong", ["--accent-soft"], 4.5],
  ["--bad", SURFACES, 4.5],
  ["--good", ["--good-soft"], 4.5],
  ["--warn", ["--warn-soft"], 4.5],
  ["--bad", ["--bad-soft"], 4.5],
  ["--calm", ["--calm-soft"], 4.5],
  ["--line-strong", SURFACES, 3],
  ["--curve-1", ["--surface"], 3],
  ["--curve-2", ["--surface"], 3],
  ["--curve-3", ["--surface"], 3],
  ["--curve-4", ["--surface"], 3],
  ["--good", ["--sunken"], 3],
  ["--warn", ["--sunken"], 3],
];
const rows = NEEDS.flatMap(([front, backs, least]) => backs.map((back) => ({ front, back, least })));

describe.each([
  { scheme: "light", palette: paletteIn(light) },
  { scheme: "dark", palette: paletteIn(dark) },
])("the $scheme palette", ({ palette }) => {
  it.each(rows)("$front on $back has at least $least", ({ front, back, least }) => {
    const [one, other] = [palette.get(front), palette.get(back)];
    expect(one).toBeDefined();
    expect(other).toBeDefined();
    expect(contrast(one ?? "", other ?? "")).toBeGreaterThanOrEqual(least);
  });
});
