import { parseArgs } from "node:util";
import { type Benchmark, SIZES, type Sizes } from "./benchmark.ts";
import { c1222SecuredReads } from "./c1222-secured-reads.ts";
import { dlmsSecuredReads } from "./dlms-secured-reads.ts";
import { fleetQueriesBench } from "./fleet-queries.ts";
import { importRows } from "./import-rows.ts";
import { ingestCpu } from "./ingest-cpu.ts";
import { lanesLatency } from "./lanes-latency.ts";
import { ledgerScale } from "./ledger-scale.ts";
import { pingStorm } from "./ping-storm.ts";
import { storedSize } from "./stored-size.ts";
import { stormBenchmark } from "./storm.ts";
import { switchBurst } from "./switch-burst.ts";
import { switchGuard } from "./switch-guard.ts";
import { switchSteady } from "./switch-steady.ts";
import { writeUnits } from "./write-units.ts";

const BENCHMARKS: readonly Benchmark[] = [
  c1222SecuredReads,
  dlmsSecuredReads,
  fleetQueriesBench,
  importRows,
  ingestCpu,
  storedSize,
  lanesLatency,
  ledgerScale,
  pingStorm,
  switchBurst,
  switchGuard,
  switchSteady,
  stormBenchmark,
  writeUnits,
];

const HELP = `Measures.

Usage: npm run -s bench -- NAME [--json]
       npm run -s bench -- --list
  --json   one line: { "name", "mix", "figures": [ { "name", "value", "unit" } ], "ratios": { … } }
  --list   the benchmarks
  --meters N, --reads N, --pings N, --singles N
           sizes, where the benchmark's line in the list names them with its defaults
  --help

Exit 0: measured; 1: a benchmark failed; 2: usage.
`;

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: "boolean" },
      list: { type: "boolean" },
      help: { type: "boolean" },
      ...(Object.fromEntries(SIZES.map((name) => [name, { type: "string" }])) as Record<
        (typeof SIZES)[number],
        { readonly type: "string" }
      >),
    },
  });
  if (values.help === true) {
    process.stdout.write(HELP);
    return 0;
  }
  if (values.list === true) {
    for (const { name, about } of BENCHMARKS) process.stdout.write(`${name.padEnd(24)} ${about}\n`);
    return 0;
  }
  const [wanted, ...more] = positionals;
  const found = BENCHMARKS.find(({ name }) => name === wanted);
  if (found === undefined || more.length > 0)
    throw new TypeError(
      `expected one of ${BENCHMARKS.map(({ name }) => name).join(", ")}, got ${positionals.join(" ") || "nothing"}`,
    );
  const sizes: Partial<Record<keyof Sizes, number>> = {};
  for (const name of SIZES) {
    const text = values[name];
    if (text === undefined) continue;
    if (!/^[1-9]\d{0,7}$/.test(text)) throw new TypeError(`--${name}: expected a whole number from 1, got ${text}`);
    sizes[name] = Number(text);
  }
  let result: Awaited<ReturnType<Benchmark["run"]>>;
  try {
    result = await found.run((line) => void process.stderr.write(`${line}\n`), sizes);
  } catch (error) {
    process.stderr.write(`${found.name}: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
  const { mix, figures, ratios } = result;
  if (values.json === true) {
    process.stdout.write(`${JSON.stringify({ name: found.name, mix, figures, ratios })}\n`);
    return 0;
  }
  process.stdout.write(`${found.name}: ${mix}\n`);
  for (const { name, value, unit } of figures)
    process.stdout.write(`${name.padEnd(36)} ${String(value).padStart(10)} ${unit}\n`);
  for (const [name, value] of Object.entries(ratios))
    process.stdout.write(`${name.padEnd(36)} ${String(value).padStart(10)}\n`);
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
