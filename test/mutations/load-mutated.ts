import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ENGINE_MUTATIONS } from "./engine-mutations.ts";

/** Loaded before a script: the mutation named in the environment is in what it imports, and no file is touched. */
const ROOT = resolve(import.meta.dirname, "../..");
const name = process.env.HEADRACE_MUTATION;
const mutation = ENGINE_MUTATIONS.find((candidate) => candidate.name === name);
if (mutation === undefined) throw new Error(`no mutation of the engine is called ${name}`);
const file = resolve(ROOT, mutation.file);
const source = readFileSync(file, "utf8");
if (source.split(mutation.original).length !== 2)
  throw new Error(`expected the original of "${mutation.name}" once in ${mutation.file}`);
const mutated = source.replace(mutation.original, () => mutation.mutated);

registerHooks({
  load(url, context, nextLoad) {
    if (!url.startsWith("file:") || fileURLToPath(url) !== file) return nextLoad(url, context);
    return { format: "module-typescript", source: mutated, shortCircuit: true };
  },
});
