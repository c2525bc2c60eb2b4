import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Measurement } from "../metering/measurement.ts";
import { INTERVAL_STATUS } from "../metering/result.ts";
import { type BlockEntry, type DayBlock, emptyBlock } from "./day-block.ts";
import { decodeDayBlock, encodeDayBlock } from "./day-block-codec.ts";
import { mergeBlock } from "./merge-block.ts";
import { assessed, QUALITY, qualityFlags } from "./quality.ts";
import { blocksOf } from "./report-blocks.ts";

const DAY = Date.UTC(2026, 10, 2);
const ORIGIN = { batch: "0".repeat(16), at: DAY };

function block(columns: readonly (readonly (bigint | undefined)[])[], names: readonly Measurement[]): DayBlock {
  const entries = new Map<number, BlockEntry>();
  for (let number = 0; number < (columns[0]?.length ?? 0); number++) {
    const values = columns.map((column) => column[number]);
    if (values.some((value) => value !== undefined)) entries.set(number, { values, status: 0, origin: ORIGIN });
  }
  return {
    ...emptyBlock(
      DAY,
      900,
      names.map((measurement) => ({ measurement, scaler: 0 })),
    ),
    entries,
  };
}
const flags = (of: DayBlock): Record<number, string[]> =>
  Object.fromEntries(
    [...assessed(of).entries].flatMap(([number, { quality = 0 }]) =>
      quality === 0 ? [] : [[number, qualityFlags(quality)]],
    ),
  );
const dials = (...column: (number | undefined)[]) =>
  block([column.map((value) => (value === undefined ? undefined : BigInt(value)))], ["energy.active.import.total"]);
const rising = (count: number, from = 1000, step = 10) =>
  Array.from({ length: count }, (_, index) => from + index * step);

describe("validation of a day", () => {
  it("says nothing of an ordinary one", () => {
    expect(flags(dials(...rising(96)))).toEqual({});
  });

  it("marks a dial that went back, across a gap too", () => {
    expect(flags(dials(5000, 4990, 5010))).toEqual({ 1: ["notMonotone"] });
    expect(flags(dials(5000, undefined, 4990))).toEqual({ 2: ["notMonotone"] });
  });

  it("tells a roll-over from a dial that went back", () => {
    expect(flags(dials(999_998, 999_999, 3, 10))).toEqual({ 2: ["rollover"] });
    expect(flags(dials(600_000, 3, 10))).toEqual({ 1: ["notMonotone"] });
  });

  it("marks what is far more than usual, but not the first interval after a gap or a power failure", () => {
    const values = rising(40);
    const jump = values.map((value, index) => (index >= 20 ? value + 5_000 : value));
    expect(flags(dials(...jump))).toEqual({ 20: ["spike"] });
    expect(flags(dials(...jump.map((value, index) => (index === 19 ? undefined : value))))).toEqual({});
    const failed = dials(...jump);
    const entry = failed.entries.get(20);
    if (entry === undefined) throw new Error("an entry");
    (failed.entries as Map<number, BlockEntry>).set(20, { ...entry, status: INTERVAL_STATUS.powerDown });
    expect(flags(failed)).toEqual({});
  });

  it("marks negative consumption, and a day without any", () => {
    const used = (...column: number[]) => block([column.map(BigInt)], ["energy.active.import.interval"]);
    expect(flags(used(3, -1, 4))).toEqual({ 1: ["negative"] });
    expect(Object.keys(flags(used(...Array.from({ length: 24 }, () => 0))))).toHaveLength(24);
    expect(flags(used(0, 0, 0))).toEqual({});
  });

  it("suspects an exchange where all dials fall to nothing at once", () => {
    const both = (left: number[], right: number[]) =>
      block([left.map(BigInt), right.map(BigInt)], ["energy.active.import.total", "energy.active.export.total"]);
    expect(flags(both([50_000, 50_010, 3, 9], [70_000, 70_000, 0, 0]))).toEqual({
      2: ["notMonotone", "exchangeSuspected"],
    });
    expect(flags(both([50_000, 49_990, 50_010], [70_000, 69_000, 70_000]))).toEqual({ 1: ["notMonotone"] });
  });

  it("marks intervals off the grid that share time with others", () => {
    const base = dials(1000, undefined, 1020);
    const side = (start: number, end: number) => ({
      start: DAY + start * 60_000,
      end: DAY + end * 60_000,
      values: [1005n],
      status: 0,
      origin: ORIGIN,
    });
    const { side: marked } = assessed({ ...base, side: [side(5, 20), side(16, 29)] });
    expect(marked.map(({ quality = 0 }) => qualityFlags(quality))).toEqual([["overlap"], ["overlap"]]);
    const { side: apart } = assessed({ ...base, side: [side(16, 29)] });
    expect(apart.map(({ quality = 0 }) => quality)).toEqual([0]);
  });

  it("is the same however often it is done, and survives the store", () => {
    const column = fc.array(fc.option(fc.bigInt({ min: 0n, max: 2n ** 40n }), { nil: undefined }), {
      minLength: 96,
      maxLength: 96,
    });
    fc.assert(
      fc.property(column, column, (left, right) => {
        const once = assessed(block([left, right], ["energy.active.import.total", "energy.active.export.interval"]));
        expect(assessed(once)).toEqual(once);
        expect(decodeDayBlock(DAY, encodeDayBlock(once))).toEqual(once);
      }),
      { numRuns: 50 },
    );
  });
});

describe("what entries bring along", () => {
  const report = (at: number, value: bigint, clockOffsetMs?: number) =>
    blocksOf(
      {
        at,
        intervals: [
          {
            set: "load",
            period: 900,
            channels: [{ m: "energy.active.import.total", s: 0 }],
            ends: [DAY + 900_000],
            values: [[value]],
            status: [0],
          },
        ],
        ...(clockOffsetMs === undefined ? {} : { clockOffsetMs }),
      },
      at.toString(16).padStart(16, "0"),
    )[0]?.block ?? emptyBlock(DAY);
  const quality = (of: DayBlock) => qualityFlags(of.entries.get(0)?.quality ?? 0);

  it("a clock that was off by more than a minute marks what was read by it", () => {
    expect(quality(mergeBlock(emptyBlock(DAY), report(DAY, 5n, -61_000)).block)).toEqual(["clockDrift"]);
    expect(quality(mergeBlock(emptyBlock(DAY), report(DAY, 5n, 60_000)).block)).toEqual([]);
  });

  it("a correction is marked, whichever value came first, and stays marked", () => {
    const old = report(DAY + 1000, 5n);
    const young = report(DAY + 2000, 6n);
    for (const [first, second] of [
      [old, young],
      [young, old],
    ] as const) {
      const { block: merged } = mergeBlock(mergeBlock(emptyBlock(DAY), first).block, second);
      expect(merged.entries.get(0)).toMatchObject({ values: [6n], quality: QUALITY.corrected.bit });
      expect(mergeBlock(merged, second)).toMatchObject({ changed: false });
      expect(mergeBlock(merged, first)).toMatchObject({ changed: false });
    }
  });

  it("a block of before there was validation is read as it is", () => {
    const registers = [{ measurement: "volume.gas" as const, value: 5n, scaler: -3, origin: ORIGIN }];
    const now = encodeDayBlock({ ...emptyBlock(DAY), registers });
    // Format, period, channels, status runs; then quality runs and the place of the origin, which format 1 has not.
    expect([...now.subarray(0, 7)]).toEqual([3, 0, 0, 0, 0, 1, 0]);
    const then = Uint8Array.from([1, ...now.subarray(1, 4), 1, ...now.subarray(7)]);
    expect(decodeDayBlock(DAY, then)).toEqual({ ...emptyBlock(DAY), registers });
  });
});
