import { statSync } from "node:fs";
import { duckdb } from "../../functions/adapters/duckdb.ts";
import { scratch } from "../../functions/adapters/s3-lake.ts";
import { assert } from "../../shared/ports/errors.ts";
import { below, seeded } from "../../shared/ports/random.ts";
import { DAY_MS } from "../../shared/readings/day-block.ts";
import { exportLake } from "../../shared/readings/export-lake.ts";
import { memoryDayBlocks } from "../../shared/readings/memory-day-blocks.ts";
import { memoryLakeMarks, memoryLakePointers } from "../../shared/readings/memory-lake.ts";
import { storeReadings } from "../../shared/readings/store-readings.ts";
import { type Benchmark, used } from "./benchmark.ts";
import { itemSize } from "./item-size.ts";

const DAY = Date.UTC(2026, 10, 2);
const METERS = 2048;
const SEGMENT_METERS = 1024;
const BATCH = 100;
const INTERVALS = 96;

/** Bytes of a meter's day in the table of day blocks and in the lake, and what writing the lake costs. */
export const storedSize: Benchmark = {
  name: "stored-size",
  about: `bytes of a meter's day in both stores, and the lake's exporter; --meters N, default ${METERS}`,
  async run(say, { meters = METERS }) {
    const random = seeded(7);
    const [blocks, marks, pointers] = [memoryDayBlocks(), memoryLakeMarks(), memoryLakePointers()];
    const ends = Array.from({ length: INTERVALS }, (_, index) => DAY + (index + 1) * 900_000);
    /** A dial in Wh that turns by up to `most` an interval, and not at all in so many of ten. */
    const dial = (most: number, idle: number): bigint[] => {
      let value = BigInt(below(random, 50_000_000));
      return ends.map(() => {
        if (below(random, 10) >= idle) value += BigInt(below(random, most));
        return value;
      });
    };
    const segments = Math.ceil(meters / SEGMENT_METERS);
    for (let segment = 0; segment < segments; segment++)
      for (let first = 0; first < SEGMENT_METERS; first += BATCH)
        await storeReadings(
          { blocks, lake: marks },
          segment,
          (segment * 100 + first).toString(16).padStart(16, "5"),
          Array.from({ length: Math.min(BATCH, SEGMENT_METERS - first) }, (_, index) => ({
            slot: first + index,
            at: DAY + DAY_MS - 1 - below(random, 600_000),
            registers: [{ m: "energy.active.import.total" as const, v: BigInt(below(random, 50_000_000)), s: 0 }],
            intervals: [
              {
                set: "load",
                period: 900,
                channels: [
                  { m: "energy.active.import.total" as const, s: 0 },
                  { m: "energy.active.export.total" as const, s: 0 },
                ],
                ends,
                values: [dial(400, 0), dial(200, 7)],
                status: ends.map(() => 0),
              },
            ],
          })),
        );
    const count = segments * SEGMENT_METERS;
    let octets = 0;
    for (let segment = 0; segment < segments; segment++)
      for (const { key, octets: b } of await blocks.ofSegment(segment, DAY))
        octets += itemSize({
          pk: `D#${segment}#2026-11-02`,
          sk: `${String(key.slot).padStart(4, "0")}#${key.set}`,
          b,
          v: 1,
          expires: DAY / 1000,
        });
    say(`${count} meters stored`);
    let files = 0;
    const objects = {
      async put(_: string, file: string) {
        files += statSync(file).size;
        return { octets: statSync(file).size, sha256: "" };
      },
      async get() {},
      async remove() {},
    };
    const columnar = duckdb({ memoryMb: 1200, timeoutMs: 300_000 });
    const ports = { blocks, marks, pointers, objects, columnar, scratch, random, clock: { now: () => DAY + DAY_MS } };
    let rows = 0;
    const { cpuSeconds } = await used(async () => {
      rows = (await exportLake(ports)).rows;
    });
    assert(rows === count * (INTERVALS * 2 + 1), `expected all values in the lake, got ${rows}`);
    const rounded = (value: number): number => Number(value.toPrecision(3));
    return {
      mix: `each meter: a UTC day of ${INTERVALS} intervals of two dials (one idle in seven of ten) and one register, by one read`,
      figures: [
        { name: "meters", value: count, unit: "meters" },
        { name: "day block with its keys", value: Math.round(octets / count), unit: "B/meter-day" },
        { name: "lake file", value: Math.round(files / count), unit: "B/meter-day" },
        { name: "lake rows a CPU second", value: Math.round(rows / cpuSeconds), unit: "rows/s" },
        { name: "lake exporter", value: rounded((cpuSeconds * 1000) / count), unit: "CPU ms/meter-day" },
      ],
      ratios: { lakeOfBlocks: rounded(files / octets) },
    };
  },
};
