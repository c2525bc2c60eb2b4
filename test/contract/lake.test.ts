import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { duckdb } from "../../functions/adapters/duckdb.ts";
import { dynamoLakeMarks, dynamoLakePointers } from "../../functions/adapters/dynamo-lake.ts";
import { scratch } from "../../functions/adapters/s3-lake.ts";
import { collected } from "../../shared/jobs/concurrency.ts";
import { seeded } from "../../shared/ports/random.ts";
import { DAY_MS } from "../../shared/readings/day-block.ts";
import { exportLake } from "../../shared/readings/export-lake.ts";
import type { LakeObjects, LakePointers } from "../../shared/readings/lake-files.ts";
import { DIRTY, type LakeMarks } from "../../shared/readings/lake-marks.ts";
import { LAKE_COLUMNS, lakeRows } from "../../shared/readings/lake-rows.ts";
import { memoryDayBlocks } from "../../shared/readings/memory-day-blocks.ts";
import { memoryLakeMarks, memoryLakePointers } from "../../shared/readings/memory-lake.ts";
import { storeReadings } from "../../shared/readings/store-readings.ts";
import { type EmbeddedDynamo, embeddedDynamo } from "./embedded-dynamo.ts";

const DAY = Date.UTC(2026, 10, 2);
let dynamo: EmbeddedDynamo;
beforeAll(async () => {
  dynamo = await embeddedDynamo();
});
afterAll(() => dynamo.close());

describe.each<{ name: string; open: () => { marks: LakeMarks; pointers: LakePointers } }>([
  { name: "in memory", open: () => ({ marks: memoryLakeMarks(), pointers: memoryLakePointers() }) },
  {
    name: "on DynamoDB",
    open: () => ({
      marks: dynamoLakeMarks(dynamo.db, "Readings"),
      pointers: dynamoLakePointers(dynamo.db, "Readings"),
    }),
  },
])("the lake's items $name", ({ open }) => {
  let [marks, pointers] = [memoryLakeMarks(), memoryLakePointers()];
  beforeAll(() => {
    ({ marks, pointers } = open());
  });

  it("mark segment-days, which one export takes and only it clears", async () => {
    const [one, other] = [
      { segment: 9765, day: DAY },
      { segment: 9766, day: DAY - 400 * DAY_MS },
    ];
    for (const { segment, day } of [one, other]) await marks.mark(segment, day);
    const byDay = (left: { day: number }, right: { day: number }) => right.day - left.day;
    const dirty = [one, other].map((mark) => ({ ...mark, state: DIRTY }));
    expect((await collected(marks.list())).sort(byDay)).toEqual(dirty);
    expect(await marks.read(one.segment, one.day)).toEqual(dirty[0]);
    expect(await marks.read(1, DAY)).toBeUndefined();

    expect(await marks.take({ ...one, state: DIRTY }, "a")).toBe(true);
    expect(await marks.take({ ...one, state: DIRTY }, "b")).toBe(false);
    expect(await marks.take({ segment: 1, day: DAY, state: DIRTY }, "b")).toBe(false);
    await marks.clear(one, "b");
    expect(await marks.read(one.segment, one.day)).toEqual({ ...one, state: "a" });
    await marks.mark(one.segment, one.day);
    await marks.clear(one, "a");
    expect(await marks.read(one.segment, one.day)).toEqual(dirty[0]);
    await marks.take({ ...one, state: DIRTY }, "c");
    await marks.clear(one, "c");
    await marks.clear(one, "c");
    expect(await collected(marks.list())).toEqual([dirty[1]]);
  });

  it("point to the files of a day under the version that was read", async () => {
    const current = { object: "lake/x", asOf: 5, rows: 1, octets: 2, sha256: "ab" };
    const first = { day: DAY, file: 152, dropped: [{ object: "lake/y", at: 7 }] };
    expect(await pointers.write(first, 1)).toBe("conflict");
    expect(await pointers.write(first, 0)).toBe("written");
    expect(await pointers.write({ ...first, current }, 0)).toBe("conflict");
    expect(await pointers.write({ ...first, current }, 1)).toBe("written");
    expect(await pointers.write({ day: DAY, file: 3, dropped: [] }, 0)).toBe("written");
    expect(await pointers.write({ day: DAY + DAY_MS, file: 3, dropped: [] }, 0)).toBe("written");
    expect(await pointers.read(DAY, 152)).toEqual({ ...first, current, version: 2 });
    expect(await pointers.read(DAY, 1)).toBeUndefined();
    expect((await pointers.ofDay(DAY)).map(({ file, version }) => [file, version])).toEqual([
      [3, 1],
      [152, 2],
    ]);
  });
});

describe("a file of the lake", () => {
  const folder = mkdtempSync(join(tmpdir(), "headrace-lake-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("has what is stored, value by value, where SQL finds it", async () => {
    const [blocks, marks, pointers] = [memoryDayBlocks(), memoryLakeMarks(), memoryLakePointers()];
    const columnar = duckdb({ memoryMb: 256, timeoutMs: 20_000 });
    const objects: LakeObjects = {
      async put(object, file) {
        const to = join(folder, object);
        mkdirSync(dirname(to), { recursive: true });
        copyFileSync(file, to);
        const octets = readFileSync(file);
        return { octets: octets.length, sha256: createHash("sha256").update(octets).digest("hex") };
      },
      async get() {},
      async remove() {},
    };
    const ends = Array.from({ length: 96 }, (_, index) => DAY + (index + 1) * 900_000);
    for (const segment of [0, 1, 63])
      await storeReadings({ blocks, lake: marks }, segment, "ab".repeat(8), [
        {
          slot: 7,
          at: DAY + DAY_MS - 1,
          registers: [{ m: "energy.active.import.total", v: 2n ** 64n - 1n, s: -3, at: DAY + 5 }],
          snapshots: [{ kind: "billing", at: DAY, registers: [{ m: "energy.active.import.total", v: 12n, s: 3 }] }],
          intervals: [
            {
              set: "load",
              period: 900,
              channels: [
                { m: "energy.active.import.interval", s: 0 },
                { m: "voltage.l1.average", s: -1 },
              ],
              ends: [...ends, DAY + 1000_000],
              values: [
                [...ends.map((_, index) => BigInt(index)), null],
                [...ends.map(() => -(2n ** 63n)), 5n],
              ],
              status: [...ends.map((_, index) => index % 3), 1],
            },
          ],
        },
      ]);
    const ports = {
      blocks,
      marks,
      pointers,
      objects,
      columnar,
      scratch,
      random: seeded(1),
      clock: { now: () => DAY + 1 },
    };
    const facts = await exportLake(ports);
    expect(facts).toMatchObject({ written: 1, rows: 3 * (97 * 2 + 2) });
    const [{ current } = {}] = await pointers.ofDay(DAY);
    const files = [join(folder, current?.object ?? "")];
    expect(
      createHash("sha256")
        .update(readFileSync(files[0] ?? ""))
        .digest("hex"),
    ).toBe(current?.sha256);
    const sources = { lake: { kind: "parquet", columns: LAKE_COLUMNS, files } } as const;
    const found = await columnar.query({ sql: "SELECT * FROM lake", sources }, 10_000);
    const stored = (await Promise.all([0, 1, 63].map((segment) => blocks.ofSegment(segment, DAY)))).flat();
    const text = (rows: Iterable<readonly unknown[]>) => Array.from(rows, (row) => row.map(String).join("|")).sort();
    expect(text(found.rows)).toEqual(text(stored.flatMap((block) => [...lakeRows(block)])));
    const sum = await columnar.query(
      {
        sql: "SELECT sum(value) AS total, min(period_s) AS period FROM lake WHERE measurement = $m AND segment = $segment",
        parameters: { m: "energy.active.import.interval", segment: 63 },
        sources,
      },
      1,
    );
    expect(sum.rows).toEqual([[4560n, 900]]);
  });
});
