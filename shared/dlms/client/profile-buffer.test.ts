import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SessionError } from "../../metering/failure.ts";
import type { DlmsLoadProfile } from "../../metering/profile.ts";
import { decode, encode } from "../../wire/codec.ts";
import { type Data, DataCodec } from "../data.ts";
import { dateTimeAt, dateTimeData } from "../date-time.ts";
import type { CaptureObject } from "../objects/profile-generic.ts";
import { rowsOf, shortenedRows } from "./profile-buffer.ts";
import { columnsOf, entriesOf } from "./read-intervals.ts";

const text = (_: string, value: unknown): unknown => (typeof value === "bigint" ? String(value) : value);
const NULL: Data = { type: "null-data", value: null };
const u32 = (value: number): Data => ({ type: "double-long-unsigned", value });
const bufferOf = (...rows: Data[][]): Data => ({
  type: "array",
  value: rows.map((value) => ({ type: "structure", value })),
});
const columnOf = (buffer: Data, column: number, columns: number) =>
  rowsOf(buffer, columns).map(({ cells }) => cells[column]?.value);

describe("a shortened profile buffer", () => {
  test("repeats a column's value at null, as often as null comes, and has no value before the first", () => {
    const rows = rowsOf(bufferOf([NULL, u32(5)], [u32(1), NULL], [NULL, NULL], [u32(2), u32(6)]), 2);
    expect(rows.map(({ cells }) => cells.map((cell) => cell?.value))).toEqual([
      [undefined, 5],
      [1, 5],
      [1, 5],
      [2, 6],
    ]);
    expect(rows.map(({ repeated }) => [repeated[0] === true, repeated[1] === true])).toEqual([
      [true, false],
      [false, true],
      [true, true],
      [false, false],
    ]);
  });

  test("adds differences of every delta type to the value before, in the type of the first", () => {
    const deltas: Data[] = [
      { type: "delta-unsigned", value: 200 },
      { type: "delta-long-unsigned", value: 60_000 },
      { type: "delta-double-long-unsigned", value: 1_000_000 },
      { type: "delta-integer", value: -100 },
      { type: "delta-long", value: -30_000 },
      { type: "delta-double-long", value: -1_000_000 },
      NULL,
    ];
    const buffer = bufferOf([u32(10)], ...deltas.map((delta) => [delta]));
    expect(columnOf(buffer, 0, 1)).toEqual([10, 210, 60_210, 1_060_210, 1_060_110, 1_030_110, 30_110, 30_110]);
    expect(rowsOf(buffer, 1).every(({ cells }) => cells[0]?.type === "double-long-unsigned")).toBe(true);
    const long64: Data = { type: "long64-unsigned", value: 2n ** 60n };
    expect(columnOf(bufferOf([long64], [{ type: "delta-unsigned", value: 1 }]), 0, 1)).toEqual([
      2n ** 60n,
      2n ** 60n + 1n,
    ]);
  });

  test("holds what was captured, however it was shortened", () => {
    const value = fc.integer({ min: 0, max: 0xffff_ffff });
    fc.assert(
      fc.property(fc.array(fc.tuple(value, fc.boolean()), { minLength: 1, maxLength: 20 }), (captured) => {
        const rows = captured.map(([next, shorten], index) => {
          const before = captured[index - 1]?.[0];
          if (!shorten || before === undefined) return [u32(next)];
          if (next === before) return [NULL];
          const difference = next - before;
          return Math.abs(difference) < 0x8000_0000
            ? [{ type: "delta-double-long", value: difference } satisfies Data]
            : [u32(next)];
        });
        expect(columnOf(bufferOf(...rows), 0, 1)).toEqual(captured.map(([next]) => next));
      }),
    );
  });

  test("goes both ways: what a meter shortens is what was captured", () => {
    const cell = fc.oneof(
      fc.integer({ min: 0, max: 0xffff_ffff }).map(u32),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value): Data => ({ type: "long64", value })),
      fc.integer({ min: 0, max: 0xff }).map((value): Data => ({ type: "unsigned", value })),
      fc.constant<Data>({ type: "visible-string", value: "x" }),
    );
    const near = fc.integer({ min: -40_000, max: 40_000 });
    fc.assert(
      fc.property(cell, fc.array(fc.oneof(cell, near), { maxLength: 20 }), fc.boolean(), (first, more, deltas) => {
        const cells = [first];
        for (const next of more) {
          const before = cells.at(-1);
          const value = before?.type === "double-long-unsigned" && typeof next === "number" ? before.value + next : 0;
          cells.push(typeof next === "number" ? u32(Math.min(0xffff_ffff, Math.max(0, value))) : next);
        }
        const nulls = (_: number, entry: number): boolean =>
          JSON.stringify(cells[entry], text) === JSON.stringify(cells[entry - 1], text);
        const shortened = shortenedRows(
          cells.map((each) => [each]),
          { nulls, deltas },
        );
        expect(rowsOf(decode(DataCodec, encode(DataCodec, shortened)), 1).map((row) => row.cells[0])).toEqual(cells);
      }),
    );
  });

  test.each<[string, Data]>([
    ["a difference before any value", bufferOf([{ type: "delta-integer", value: 1 }])],
    [
      "a difference from a text",
      bufferOf([{ type: "visible-string", value: "x" }], [{ type: "delta-integer", value: 1 }]),
    ],
    ["a sum below the type's range", bufferOf([u32(1)], [{ type: "delta-integer", value: -2 }])],
    ["a sum above the type's range", bufferOf([u32(0xffff_ffff)], [{ type: "delta-unsigned", value: 1 }])],
    ["an entry of another width", bufferOf([u32(1), u32(2)])],
    ["an entry that is no structure", { type: "array", value: [u32(1)] }],
    ["no array", u32(1)],
  ])("refuses %s", (_, buffer) => {
    expect(() => rowsOf(buffer, 1)).toThrow(SessionError);
  });
});

const CLOCK = "0.0.1.0.0.255";
const profile: DlmsLoadProfile = {
  channelSet: "load",
  obis: "1.0.99.1.0.255",
  period: 900,
  depth: 10,
  channels: [{ measurement: "energy.active.import.total", classId: 3, obis: "1.0.1.8.0.255", attribute: 2, scaler: 0 }],
  statusBits: {},
};
const captured: readonly CaptureObject[] = [
  { classId: 8, logicalName: CLOCK, attributeIndex: 2, dataIndex: 0 },
  { classId: 3, logicalName: "1.0.1.8.0.255", attributeIndex: 2, dataIndex: 0 },
];
const at = (quarter: number): Data => dateTimeData(dateTimeAt(quarter * 900_000, 0));
const quartersOf = (...clocks: Data[]) =>
  entriesOf(
    profile,
    columnsOf(profile, CLOCK, captured),
    rowsOf(bufferOf(...clocks.map((clock) => [clock, u32(1)])), 2),
    {
      sign: "utc",
      deviation: 0,
      standardDeviation: 0,
    },
  ).map(({ end }) => end / 900_000);

describe("null in the clock's column", () => {
  test("is one capture period after the entry before", () => {
    expect(quartersOf(at(4), NULL, NULL, at(9), NULL)).toEqual([4, 5, 6, 9, 10]);
    expect(quartersOf(at(4), NULL)).toEqual([4, 5]);
  });

  test("is one capture period before it in a buffer whose own times fall", () => {
    expect(quartersOf(at(9), NULL, NULL, at(4), NULL)).toEqual([9, 8, 7, 4, 3]);
  });

  test("says nothing in the first entry: such a buffer is refused", () => {
    expect(() => quartersOf(NULL, at(4))).toThrow("to say when it ended");
  });
});
