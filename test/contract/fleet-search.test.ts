import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { duckdb } from "../../functions/adapters/duckdb.ts";
import { registryTargets } from "../../functions/adapters/dynamo-segments.ts";
import { fleetSearch } from "../../functions/adapters/fleet-search.ts";
import { collected } from "../../shared/jobs/concurrency.ts";
import { slotsOfBitmap } from "../../shared/jobs/targets.ts";
import { seeded } from "../../shared/ports/random.ts";
import { evaluate } from "../../shared/queries/language/evaluate.ts";
import { conditionOf, MeterFilter } from "../../shared/queries/language/meter-filter.ts";
import type { SegmentFacts } from "../../shared/queries/meter-row.ts";
import { dayOf } from "../../shared/readings/day-block.ts";
import { memoryMissingRecords } from "../../shared/readings/memory-missing-records.ts";
import { syntheticFleet, writeFleetFile } from "./synthetic-fleet.ts";

const NOW = Date.parse("2026-03-02T12:00:00Z");
const columnar = duckdb({ memoryMb: 256, timeoutMs: 20_000 });
const fleet = syntheticFleet({ segments: 3, meters: 2_500, nowMs: NOW, random: seeded(5) });
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fleet-search-"));
  await writeFleetFile(columnar, join(folder, "0.parquet"), fleet, [0, 1]);
  await writeFleetFile(columnar, join(folder, "1.parquet"), fleet, [2]);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const pointer = (file: number, meters: number, object = `${file}.parquet`) => ({
  file,
  current: { object, asOf: NOW - 60_000 * (1 + file), meters, mix: {} },
});

function world(above: number) {
  const fetched: string[] = [];
  const lookedUp: number[] = [];
  let pointers = [pointer(0, 2_048), pointer(1, 452)];
  const search = fleetSearch({
    files: { files: async () => pointers },
    objects: {
      async get(object, file) {
        fetched.push(object);
        await copyFile(join(folder, `${object[0]}.parquet`), file);
      },
    },
    columns: {
      async readMany(segments) {
        lookedUp.push(...segments);
        const known = segments.flatMap((segment) => {
          const columns = fleet.facts.get(segment)?.columns;
          return columns === undefined ? [] : [[segment, columns] as const];
        });
        return new Map(known);
      },
    },
    missing: {
      async read(segment, day) {
        return day === dayOf(NOW) - 86_400_000
          ? (fleet.facts.get(segment)?.missing as SegmentFacts["missing"])
          : undefined;
      },
    },
    columnar,
    now: () => NOW,
    above,
  });
  const point = (next: typeof pointers): void => {
    pointers = next;
  };
  return { search, fetched, lookedUp, point };
}

const filterOf = (filter: unknown): MeterFilter => MeterFilter.parse(filter);
const SLOW = filterOf({ kind: "profile", in: ["generic-eu"] });
const MIXED = filterOf({
  kind: "all",
  of: [
    SLOW,
    {
      kind: "any",
      of: [
        { kind: "power", in: ["off"] },
        { kind: "missingYesterday", from: 1 },
      ],
    },
  ],
});
const placesOf = (filter: MeterFilter) =>
  fleet
    .rows()
    .filter(({ row }) => evaluate(conditionOf(filter), row, NOW) === true)
    .map(({ segment, slot }) => `${segment}/${slot}`)
    .toArray();

describe("a search of a large fleet", () => {
  it("is answered by files and columns, as of the oldest file, and looks no fast fact up that is not asked for", async () => {
    const { search, lookedUp } = world(2_000);
    const slow = await search.ask(async (queries, asOf) => ({ meters: await queries.count(SLOW), asOf }));
    expect(slow).toEqual({ meters: placesOf(SLOW).length, asOf: NOW - 120_000 });
    expect(lookedUp).toEqual([]);
    const mixed = await search.ask((queries) => queries.count(MIXED));
    expect(mixed).toBe(placesOf(MIXED).length);
    expect(mixed).toBeGreaterThan(10);
    expect(lookedUp).toEqual([0, 1, 2]);
  });

  it("fetches each object once, and forgets those that nothing points to any more", async () => {
    const { search, fetched, point } = world(2_000);
    for (let times = 0; times < 2; times++) await search.members(SLOW);
    expect(fetched).toEqual(["0.parquet", "1.parquet"]);
    point([pointer(0, 2_048), pointer(1, 452, "1-later.parquet")]);
    await search.members(SLOW);
    expect(fetched).toEqual(["0.parquet", "1.parquet", "1-later.parquet"]);
  });

  it("leaves a small fleet, and one without a file, to the directory", async () => {
    const { search, fetched, point } = world(2_500);
    expect(await search.members(SLOW)).toBeUndefined();
    point([]);
    expect(await world(0).search.members(SLOW)).toBeDefined();
    expect(await search.ask(async () => "asked")).toBeUndefined();
    expect(fetched).toEqual([]);
  });

  it("finds what a job is about", async () => {
    const never = async () => {
      throw new Error("expected no walk");
    };
    const search = { directory: { list: never }, facts: { of: never }, now: () => NOW };
    const segments = { async *members() {}, async *otherWays() {} };
    const registry = { meters: async () => new Map() };
    const targets = registryTargets(registry, search, segments, memoryMissingRecords(), world(2_000).search);
    const found = await collected(targets.members({ kind: "filter", filter: MIXED }));
    expect(found.flatMap(({ segment, bitmap }) => slotsOfBitmap(bitmap).map((slot) => `${segment}/${slot}`))).toEqual(
      placesOf(MIXED),
    );
  });
});
