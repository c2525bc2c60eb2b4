import { describe, expect, it } from "vitest";
import { curveOf } from "./curve.ts";
import { batchesOf, gapsBetween, hourSums, type IntervalSet, intervalsIn } from "./interval-set.ts";

const MINUTE = 60_000;
const START = Date.UTC(2026, 2, 1);
const at = (minutes: number): number => START + minutes * MINUTE;
const iso = (minutes: number): string => new Date(at(minutes)).toISOString();

const setOf = (
  values: Readonly<Record<number, string | null>>,
  { cumulative = true, status = [] as string[] } = {},
): IntervalSet => ({
  channelSet: "load",
  period: 900,
  channels: [{ measurement: "energy.active.import.total", unit: "Wh", scaler: 0, readingType: "", cumulative }],
  entries: Object.entries(values).map(([minutes, value]) => ({
    end: iso(Number(minutes)),
    values: [value],
    status,
    quality: [],
    batch: Number(minutes) < 60 ? "a" : "b",
  })),
});
const amounts = (set: IntervalSet, from: number, to: number) =>
  intervalsIn(set, { from: at(from), to: at(to) }).intervals.map((interval) => interval.amounts[0]);

describe("intervalsIn", () => {
  it("takes the difference of two totals, beyond what a float can tell apart", () => {
    const set = setOf({ 0: "18446744073709551000", 15: "18446744073709551001", 30: "18446744073709551615" });
    expect(amounts(set, 0, 30)).toEqual([1n, 614n]);
  });
  it("takes an interval's own amount as it is", () => {
    expect(amounts(setOf({ 15: "5", 30: "7" }, { cumulative: false }), 0, 30)).toEqual([5n, 7n]);
  });
  it("does not know the amount after a gap, of an empty value, or where a counter went back", () => {
    const set = setOf({ 0: "100", 15: "110", 45: "130", 60: null, 75: "140", 90: "90" });
    expect(amounts(set, 0, 90)).toEqual([10n, undefined, undefined, undefined, undefined]);
  });
  it("leaves out the entry that ends where the span begins, but compares with it", () => {
    const { intervals, gaps } = intervalsIn(setOf({ 0: "1", 15: "4" }), { from: at(0), to: at(15) });
    expect(intervals.map(({ end, amounts: [amount] }) => [end, amount])).toEqual([[at(15), 3n]]);
    expect(gaps).toEqual([]);
  });
  it("sorts entries that come in another order", () => {
    const set = setOf({ 0: "1", 15: "2", 30: "4" });
    expect(amounts({ ...set, entries: set.entries.toReversed() }, 0, 30)).toEqual([1n, 2n]);
  });
});

describe("gapsBetween", () => {
  const gaps = (ends: readonly number[], from: number, to: number) =>
    gapsBetween(ends.map(at), 15 * MINUTE, { from: at(from), to: at(to) }).map(({ firstEnd, lastEnd, intervals }) => [
      (firstEnd - START) / MINUTE,
      (lastEnd - START) / MINUTE,
      intervals,
    ]);

  it.each([
    { name: "none", ends: [15, 30, 45], from: 0, to: 45, expected: [] },
    { name: "in the middle", ends: [15, 60], from: 0, to: 60, expected: [[30, 45, 2]] },
    { name: "at the beginning", ends: [45], from: 0, to: 45, expected: [[15, 30, 2]] },
    { name: "at the end", ends: [15], from: 0, to: 45, expected: [[30, 45, 2]] },
    { name: "everything", ends: [], from: 0, to: 45, expected: [[15, 45, 3]] },
    { name: "a span that begins and ends inside an interval", ends: [15, 30], from: 7, to: 40, expected: [] },
    {
      name: "an entry off the grid closes its own interval",
      ends: [15, 31, 46],
      from: 0,
      to: 45,
      expected: [[30, 30, 1]],
    },
  ])("$name", ({ ends, from, to, expected }) => expect(gaps(ends, from, to)).toEqual(expected));
});

describe("hourSums", () => {
  it("puts an interval into the hour in which it began, and counts what is known", () => {
    const { intervals } = intervalsIn(setOf({ 0: "0", 15: "1", 30: "3", 45: "6", 60: "10", 75: "15" }), {
      from: at(0),
      to: at(75),
    });
    expect(hourSums(intervals, 1)).toEqual([
      { start: at(0), sums: [10n], intervals: 4 },
      { start: at(60), sums: [5n], intervals: 1 },
    ]);
  });
});

describe("batchesOf", () => {
  it("counts the intervals that each batch brought", () => {
    const { intervals } = intervalsIn(setOf({ 15: "1", 30: "2", 60: "3" }), { from: at(0), to: at(60) });
    expect([...batchesOf(intervals)]).toEqual([
      ["a", 2],
      ["b", 1],
    ]);
  });
});

describe("curveOf", () => {
  it("draws energy as average power, a gap as nothing, and closes the last interval", () => {
    const set = setOf({ 0: "0", 15: "250", 45: "300", 60: "350" });
    const shown = intervalsIn(set, { from: at(0), to: at(60) });
    const { starts, lines } = curveOf(shown, set.channels, set.period, () => "import");
    expect(starts.map((start) => (start * 1000 - START) / MINUTE)).toEqual([0, 15, 30, 45, 60]);
    expect(lines).toEqual([{ label: "import", unit: "kW", points: [1, null, null, 0.2, 0.2] }]);
  });
  it("ends in nothing where the end is missing", () => {
    const set = setOf({ 0: "0", 15: "250" });
    const { lines } = curveOf(intervalsIn(set, { from: at(0), to: at(45) }), set.channels, set.period, () => "");
    expect(lines[0]?.points).toEqual([1, null]);
  });
});
