import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig } from "vitest/config";
import { MUTATIONS } from "./mutations.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const name = process.env.HEADRACE_MUTATION;
const mutation = MUTATIONS.find((candidate) => candidate.name === name);
if (name !== undefined && mutation === undefined) throw new Error(`no mutation is called ${name}`);

/** Runs tests over the sources with one mutation, applied as they are loaded: no file is touched. */
export default defineConfig({
  root: ROOT,
  plugins: [
    {
      name: "mutation",
      enforce: "pre",
      load(id) {
        if (mutation === undefined || id.split("?")[0] !== resolve(ROOT, mutation.file)) return undefined;
        const source = readFileSync(resolve(ROOT, mutation.file), "utf8");
        if (source.split(mutation.original).length !== 2)
          throw new Error(`expected the original of "${mutation.name}" once in ${mutation.file}`);
        return source.replace(mutation.original, () => mutation.mutated);
      },
    },
  ],
  // Transformed modules are cached by file, and a mutation is not in the file.
  test: {
    fsModuleCache: false,
    include: ["**/*.test.ts"],
    pool: "forks",
    maxWorkers: 1,
    isolate: false,
    testTimeout: 30_000,
  },
});
