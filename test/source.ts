import { globSync, readFileSync } from "node:fs";
import { join, posix, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "..");
const OUTSIDE = /(^|\/)(node_modules|dist|cdk\.out[^/]*|\.git|\.cache|\.venv|__pycache__|coverage)(\/|$)/;

/** Paths from the repository's root, with forward slashes, of what is written by hand. */
export const filesOf = (pattern: string): readonly string[] =>
  globSync(pattern, { cwd: ROOT, exclude: (name) => OUTSIDE.test(name) })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => !OUTSIDE.test(file))
    .sort();

export const textOf = (file: string): string => readFileSync(join(ROOT, file), "utf8");

/** The source without its comments; texts stay. Good enough for our own code: no `//` inside a regular expression literal. */
export const codeOf = (text: string): string =>
  text.replace(
    /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|\/\*[\s\S]*?\*\/|(^|[^:\\])\/\/.*$/gm,
    (_, literal?: string, before?: string) => literal ?? before ?? "",
  );

/** And without the texts in it. */
export const bareCodeOf = (text: string): string =>
  codeOf(text).replace(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, '""');

const IMPORT =
  /(?:^|[;}\s])(?:import|export)\s+(?:type\s+)?(?:[\w*\s{},$]+?\s+from\s+)?"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/g;

/** What a file imports: paths from the repository's root, or package names. */
export const importsOf = (
  file: string,
  text: string,
): readonly { readonly path?: string; readonly package?: string }[] =>
  [...codeOf(text).matchAll(IMPORT)].map(([, first, second]) => {
    const specifier = first ?? second ?? "";
    if (specifier.startsWith(".")) return { path: posix.join(posix.dirname(file), specifier) };
    return { package: specifier };
  });
