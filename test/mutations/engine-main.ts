import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ENGINE_MUTATIONS, SEEDS_MAX } from "./engine-mutations.ts";

const HELP = `Breaks the engine on purpose, one mistake at a time: each must be found by the simulation's general invariants within
${SEEDS_MAX} seeds. No file is touched: the mistake is put in as the source is loaded.

Usage: node test/mutations/engine-main.ts [--only NAME] [--json]
  --only NAME  one of them, repeatable
  --json       one line at the end: { "passed", "failed", "skipped", "notFound": [ … ] }
  --help

Exit 0: every one was found; 1: at least one was not; 2: usage.
`;
const ROOT = resolve(import.meta.dirname, "../..");

interface Verdict {
  readonly name: string;
  /** What the simulation said of it; undefined: nothing. */
  readonly said: string | undefined;
}

/** Simulates the broken engine in a process of its own. */
function tried(name: string): Promise<Verdict> {
  return new Promise((done, reject) => {
    const script = join(ROOT, "test/simulation/main.ts");
    const seeds = ["--seeds", `1..${SEEDS_MAX}`, "--first", "--workers", "1", "--json"];
    const child = spawn(
      process.execPath,
      ["--import", join(import.meta.dirname, "load-mutated.ts"), script, ...seeds],
      { cwd: ROOT, env: { ...process.env, HEADRACE_MUTATION: name }, stdio: ["ignore", "ignore", "pipe"] },
    );
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.once("error", reject);
    child.once("close", (code) => {
      const found = /^seed \d+: .*/m.exec(said)?.[0];
      // A simulation that did not even run found nothing.
      if (code === 1 && found !== undefined) return done({ name, said: found });
      if (code !== 0) process.stderr.write(`"${name}": expected a simulation, it ended with code ${code}: ${said}\n`);
      done({ name, said: undefined });
    });
  });
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: "string", multiple: true },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const names = ENGINE_MUTATIONS.map(({ name }) => name);
  const unknown = values.only?.filter((name) => !names.includes(name)) ?? [];
  if (unknown.length > 0) throw new TypeError(`--only: expected one of ${names.join(", ")}, got ${unknown.join(", ")}`);
  const waiting = values.only ?? names;
  const notFound: string[] = [];
  const source = waiting[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let entry = source.next(); entry.done !== true; entry = source.next()) {
      const { name, said } = await tried(entry.value);
      if (said === undefined) notFound.push(name);
      process.stdout.write(`${said === undefined ? "NOT FOUND" : "found    "} ${name}${said ? `: ${said}` : ""}\n`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, worker));
  const passed = waiting.length - notFound.length;
  process.stdout.write(`${passed} of ${waiting.length} broken engines found within ${SEEDS_MAX} seeds\n`);
  if (values.json)
    process.stdout.write(`${JSON.stringify({ passed, failed: notFound.length, skipped: 0, notFound })}\n`);
  return notFound.length > 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
