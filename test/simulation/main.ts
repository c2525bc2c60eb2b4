import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { FAULT_KINDS, type FaultKind } from "./fault-kinds.ts";
import { add, addSeed, coverageIn, noSeeds, type SeedsSummary } from "./seed-range.ts";
import { DLMS_EVERY, REST_MS } from "./simulate.ts";

const HELP = `Simulates the whole engine under seeded faults: planner, bridges with their drivers and meters, ingest, sweep and
schedules in one process, in virtual time. Invariants are checked after every step. One seed of ${DLMS_EVERY} has the real DLMS
driver and simulated DLMS meters, the others a cheap driver and meters that are strict about counters.

Usage: npm run -s simulate -- --seeds A..B [--workers N] [--json] [--trace]
  --seeds A..B   the seeds, both included (1..200)
  --workers N    threads (2, or 1 where there is one processor)
  --first        stop at the first violation
  --trace        what happens, call by call; with one worker
  --json         one line: { "seeds", "violations", "faults": { kind: times }, "coverage": { "pairs", "missing", … } }
  --help

Exit 0: no invariant broke and, from ${2000} seeds on, every possible pair of slice state and fault was visited; 1 otherwise;
2: usage. The same seed always does the same: --seeds N..N --trace shows it.

Faults:
${Object.entries(FAULT_KINDS)
  .map(([kind, about]) => `  ${kind.padEnd(15)} ${about}`)
  .join("\n")}
`;
/** From so many seeds on a pair that was never visited is a failure. */
const COVERING_SEEDS = 2000;
const TOLD_MAX = 20;

interface Options {
  readonly from: number;
  readonly to: number;
  readonly workers: number;
  readonly first: boolean;
}

async function inThisThread({ from, to, first }: Options, trace?: (line: string) => void): Promise<SeedsSummary> {
  const summary = noSeeds();
  for (let seed = from; seed <= to; seed++) {
    trace?.(`seed ${seed}`);
    if (!(await addSeed(summary, seed, trace)) && first) break;
    if (seed % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return summary;
}

async function inWorkers({ from, to, workers }: Options): Promise<SeedsSummary> {
  const summary = noSeeds();
  const runs = Array.from(
    { length: Math.min(workers, to - from + 1) },
    (_, offset) =>
      new Promise<void>((resolve, reject) => {
        const worker = new Worker(new URL("./seed-worker.ts", import.meta.url), {
          workerData: { from: from + offset, to, step: workers },
        });
        worker.on("message", (piece: SeedsSummary) => add(summary, piece));
        worker.once("error", reject);
        worker.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with code ${code}`))));
      }),
  );
  await Promise.all(runs);
  return summary;
}

function tell(summary: SeedsSummary, seconds: number): void {
  const { seeds, faults, steps, readings, effects, switches, dlms, reached, longestRestMs } = summary;
  const { visited, possible, missing, impossible, pairs } = coverageIn(summary);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  say(`${seeds} seeds (${dlms} with DLMS meters) in ${seconds.toFixed(1)} s: ${(seeds / seconds).toFixed(0)} a second`);
  say(
    `${steps} steps, ${readings} readings accepted, ${effects} effects; ${switches.sent} orders to switches sent, ${switches.verified} proved; ${reached.resends} resends, ${reached.splits} slices of one,`,
  );
  say(
    `${reached.late} results after the end of their task; longest way to rest ${(longestRestMs / 60_000).toFixed(1)} min of ${REST_MS / 60_000}`,
  );
  say("\nfault           times  seeds in which it met a slice that was …");
  const states = Object.keys(pairs);
  say(`${"".padEnd(22)}${states.map((state) => state.padStart(9)).join("")}`);
  for (const kind of Object.keys(FAULT_KINDS) as FaultKind[])
    say(
      `${kind.padEnd(15)}${String(faults[kind] ?? 0).padStart(6)} ${states.map((state) => String(pairs[state]?.[kind] ?? "-").padStart(9)).join("")}`,
    );
  say(`\n${visited} of ${possible} possible pairs visited; ${Object.keys(impossible).length} are impossible`);
  for (const pair of missing) say(`never visited: ${pair}`);
}

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: "string", default: "1..200" },
      workers: { type: "string" },
      first: { type: "boolean", default: false },
      trace: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const range = /^(\d{1,9})(?:\.\.(\d{1,9}))?$/.exec(values.seeds);
  const [from, to] = [Number(range?.[1]), Number(range?.[2] ?? range?.[1])];
  if (range === null || to < from)
    throw new TypeError(`--seeds: expected A..B with A not above B, got ${values.seeds}`);
  const workers = Number(values.workers ?? Math.min(2, availableParallelism()));
  if (!Number.isSafeInteger(workers) || workers < 1 || workers > 64)
    throw new TypeError(`--workers: expected 1 to 64, got ${values.workers}`);

  const options = { from, to, workers, first: values.first };
  const trace = values.trace
    ? (line: string): void => void (values.json ? process.stderr : process.stdout).write(`${line}\n`)
    : undefined;
  const begun = performance.now();
  const alone = workers === 1 || trace !== undefined || options.first;
  const summary = alone ? await inThisThread(options, trace) : await inWorkers(options);
  const seconds = (performance.now() - begun) / 1000;

  const { violations, seeds, faults } = summary;
  const coverage = coverageIn(summary);
  violations.sort((left, right) => left.seed - right.seed);
  if (values.json)
    process.stdout.write(`${JSON.stringify({ seeds, violations: violations.length, faults, coverage })}\n`);
  else if (trace === undefined) tell(summary, seconds);
  for (const { seed, violation } of violations.slice(0, TOLD_MAX)) process.stderr.write(`seed ${seed}: ${violation}\n`);
  if (violations.length > 0)
    process.stderr.write(
      `${violations.length} seeds with violations; npm run -s simulate -- --seeds ${violations[0]?.seed}..${violations[0]?.seed} --trace shows the first\n`,
    );
  const uncovered = seeds >= COVERING_SEEDS && coverage.missing.length > 0;
  if (uncovered) process.stderr.write(`never visited in ${seeds} seeds: ${coverage.missing.join(", ")}\n`);
  return violations.length > 0 || uncovered ? 1 : 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
