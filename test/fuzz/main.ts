import { parseArgs } from "node:util";
import { DEPTHS } from "./fuzzer.ts";
import { FUZZERS } from "./fuzzers.ts";
import { type Depth, fuzz, type Outcome } from "./run.ts";

const PROTOCOLS = FUZZERS.map(({ protocol }) => protocol);
const HELP = `Mutates frames and whole conversations: decoders answer a value or a typed error, the client ends with a result
or a typed error, the meter's side never throws; none of them hangs or needs much memory.

Usage: npm run -s fuzz -- [--frames N] [--protocol NAME] [--seed S] [--json]
  --frames N       mutated frames of each protocol (100000)
  --protocol NAME  ${PROTOCOLS.join(" or ")}; repeatable (all)
  --seed S         (1); a failing frame is printed with its seed and block
  --json           one line: { "frames", "seed", "passed", "failed", "skipped", "failures",
                   "depth": { "framing", "apdu", "data" }, "protocols": { NAME: { "frames", "depth" } } };
                   "depth" is the least of the protocols
  --help

Exit 0: nothing failed and the mutants reached deep enough; 1 otherwise; 2: usage.
`;

const words = (depth: Depth): string => DEPTHS.map((name) => `${name} ${depth[name]}`).join(", ");

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      frames: { type: "string" },
      protocol: { type: "string", multiple: true },
      seed: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help === true) {
    process.stdout.write(HELP);
    return 0;
  }
  const frames = Number(values.frames ?? 100_000);
  const seed = Number(values.seed ?? 1);
  const wanted = values.protocol ?? PROTOCOLS;
  if (!Number.isSafeInteger(frames) || frames < 1 || !Number.isSafeInteger(seed))
    throw new TypeError("expected --frames and --seed as whole numbers");
  const unknown = wanted.find((name) => !PROTOCOLS.includes(name));
  if (unknown !== undefined) throw new TypeError(`--protocol: expected ${PROTOCOLS.join(" or ")}, got ${unknown}`);
  const outcomes: [string, Outcome][] = [];
  for (const name of wanted) outcomes.push([name, await fuzz(name, seed, frames)]);
  const failures = outcomes.flatMap(([, outcome]) => outcome.failures);
  const done = outcomes.reduce((sum, [, outcome]) => sum + outcome.frames, 0);
  const depth = Object.fromEntries(
    DEPTHS.map((name) => [name, Math.min(...outcomes.map(([, outcome]) => outcome.depth[name]))]),
  ) as Depth;
  for (const failure of failures) process.stderr.write(`${failure}\n`);
  if (values.json === true) {
    const protocols = Object.fromEntries(
      outcomes.map(([name, outcome]) => [name, { frames: outcome.frames, depth: outcome.depth }]),
    );
    const failed = failures.length;
    process.stdout.write(
      `${JSON.stringify({ frames: done, seed, passed: done - failed, failed, skipped: 0, failures, depth, protocols })}\n`,
    );
  } else
    for (const [name, outcome] of outcomes)
      process.stdout.write(
        `${name}: ${outcome.frames} mutants, ${outcome.failures.length} failures; ${words(outcome.depth)}\n`,
      );
  return failures.length > 0 ? 1 : 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
