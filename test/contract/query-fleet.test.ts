import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { duckdb } from "../../functions/adapters/duckdb.ts";
import { slotsOfBitmap } from "../../shared/jobs/targets.ts";
import { seeded } from "../../shared/ports/random.ts";
import { conditions } from "../../shared/queries/language/condition-fixture.ts";
import { evaluate } from "../../shared/queries/language/evaluate.ts";
import { METER_FIELDS, type MeterField } from "../../shared/queries/language/meter-fields.ts";
import { fleetQueries } from "../../shared/queries/query-fleet.ts";
import { syntheticFleet, writeFleetFile } from "./synthetic-fleet.ts";

const NOW = Date.parse("2026-03-02T12:00:00Z");
const columnar = duckdb({ memoryMb: 256, timeoutMs: 20_000 });
const fleet = syntheticFleet({ segments: 3, meters: 2_500, nowMs: NOW, random: seeded(5) });
let folder: string;
let files: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fleet-files-"));
  files = [];
  for (const [number, segments] of [[0, 1], [2]].entries()) {
    const file = join(folder, `${number}.parquet`);
    await writeFleetFile(columnar, file, fleet, segments);
    files.push(file);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("a filter over fleet files and columns", () => {
  it("finds the meters that it finds row by row, and pages through them", async () => {
    const queries = fleetQueries(columnar, { files, facts: async () => fleet.facts }, NOW);
    const rows = fleet.rows().toArray();
    let matching = 0;
    await fc.assert(
      fc.asyncProperty(conditions<MeterField>(METER_FIELDS, 3), async (filter) => {
        const expected = rows.filter(({ row }) => evaluate(filter, row, NOW));
        matching += expected.length;
        expect(await queries.count(filter)).toBe(expected.length);
        const members = await queries.members(filter);
        expect(
          members.flatMap(({ segment, bitmap }) => slotsOfBitmap(bitmap).map((slot) => `${segment}/${slot}`)),
        ).toEqual(expected.map(({ segment, slot }) => `${segment}/${slot}`));
        const sorted = expected.map(({ row }) => row);
        const first = await queries.rows(filter, { limit: 5 });
        expect(first.rows).toEqual(sorted.slice(0, 5));
        const { cursor } = first;
        expect(cursor === undefined).toBe(sorted.length <= 5);
        if (cursor !== undefined)
          expect((await queries.rows(filter, { limit: 5, cursor })).rows).toEqual(sorted.slice(5, 10));
      }),
      { numRuns: 12, seed: 11 },
    );
    expect(matching).toBeGreaterThan(1_000);
  });

  it("finds nothing where there is no file yet", async () => {
    const queries = fleetQueries(columnar, { files: [], facts: async () => fleet.facts }, NOW);
    expect(await queries.count({ kind: "power", known: false })).toBe(0);
  });
});
