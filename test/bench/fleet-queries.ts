import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { duckdb } from "../../functions/adapters/duckdb.ts";
import { seeded } from "../../shared/ports/random.ts";
import type { MeterFilter } from "../../shared/queries/language/meter-filter.ts";
import { fleetQueries } from "../../shared/queries/query-fleet.ts";
import { syntheticFleet, writeFleetFile } from "../contract/synthetic-fleet.ts";
import type { Benchmark } from "./benchmark.ts";

const METERS = 1_000_000;
const FILE_SEGMENTS = 64;
const MEMORY_MB = 512;
const ROUNDS = 5;

/** What people ask: by place in the network, by what meters did, by both. */
const SLOW: readonly MeterFilter[] = [
  { feeder: ["F-17"] },
  {
    kind: "all",
    of: [
      { kind: "commodity", in: ["gas", "water"] },
      { kind: "profile", in: ["generic-eu"] },
    ],
  },
  { kind: "place", within: { south: 47.2, west: 8.2, north: 47.4, east: 8.4 } },
];
const FAST: readonly MeterFilter[] = [
  { kind: "lastCommunication", olderThanMinutes: 1440 },
  {
    kind: "all",
    of: [
      { kind: "feeder", startsWith: "F-1" },
      { kind: "power", in: ["off"] },
    ],
  },
  {
    kind: "all",
    of: [
      { kind: "group", in: ["north"] },
      {
        kind: "any",
        of: [
          { kind: "missingToday", from: 1 },
          { kind: "lastFailure", in: ["timeout", "unreachable"] },
        ],
      },
      { kind: "not", of: { kind: "switch", in: ["open"] } },
    ],
  },
];

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;

/** Filters over the index of a million meters: fleet files in Parquet, fast facts from columns, one thread of DuckDB. */
export const fleetQueriesBench: Benchmark = {
  name: "fleet-queries",
  about: "Filters over fleet files and columns by DuckDB: milliseconds and memory (--meters 1000000)",
  async run(say, { meters = METERS }) {
    const segments = Math.ceil(meters / 1024);
    const nowMs = Date.parse("2026-03-02T12:00:00Z");
    const columnar = duckdb({ memoryMb: MEMORY_MB, timeoutMs: 120_000 });
    const folder = await mkdtemp(join(tmpdir(), "fleet-queries-"));
    try {
      say(`${meters} meters in ${segments} segments are made up`);
      const fleet = syntheticFleet({ segments, meters, nowMs, random: seeded(1) });
      const files: string[] = [];
      let octets = 0;
      for (let from = 0; from < segments; from += FILE_SEGMENTS) {
        const file = join(folder, `${from}.parquet`);
        const of = Array.from({ length: Math.min(FILE_SEGMENTS, segments - from) }, (_, index) => from + index);
        await writeFleetFile(columnar, file, fleet, of);
        octets += (await stat(file)).size;
        files.push(file);
      }
      const queries = fleetQueries(columnar, { files, facts: async () => fleet.facts }, nowMs);
      const kinds: Readonly<Record<string, (round: number) => Promise<unknown>>> = {
        "count, slow facts": (round) => queries.count(SLOW[round % SLOW.length] as MeterFilter),
        "count, fast facts": (round) => queries.count(FAST[round % FAST.length] as MeterFilter),
        "members, fast facts": (round) => queries.members(FAST[round % FAST.length] as MeterFilter),
        "page of 100, slow facts": (round) => queries.rows(SLOW[round % SLOW.length] as MeterFilter, { limit: 100 }),
      };
      const figures: { name: string; value: number; unit: string }[] = [];
      const all: number[] = [];
      let rss = process.memoryUsage.rss();
      for (const [name, run] of Object.entries(kinds)) {
        const times: number[] = [];
        for (let round = 0; round < ROUNDS * 3; round++) {
          const start = performance.now();
          await run(round);
          times.push(performance.now() - start);
          rss = Math.max(rss, process.memoryUsage.rss());
        }
        all.push(...times);
        times.sort((left, right) => left - right);
        say(`${name}: ${times.length} asked`);
        figures.push({ name: `${name}: p50`, value: Math.round(at(times, 0.5)), unit: "ms" });
        figures.push({ name: `${name}: p95`, value: Math.round(at(times, 0.95)), unit: "ms" });
      }
      all.sort((left, right) => left - right);
      figures.unshift(
        { name: "all: p50", value: Math.round(at(all, 0.5)), unit: "ms" },
        { name: "all: p95", value: Math.round(at(all, 0.95)), unit: "ms" },
      );
      figures.push(
        { name: "fleet files", value: Math.round((octets / meters) * 100) / 100, unit: "octets a meter" },
        { name: "memory of the process, most", value: Math.round(rss / 2 ** 20), unit: "MB" },
        { name: "  of it for DuckDB at most", value: MEMORY_MB, unit: "MB" },
      );
      return {
        mix: `${files.length} files of ${FILE_SEGMENTS} segments; a fresh database a query, one thread; counts, members and pages of ${SLOW.length + FAST.length} filters`,
        figures,
        ratios: {},
      };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};
