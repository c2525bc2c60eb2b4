import { expect, it } from "vitest";
import { addInterval, noIntervals } from "./interval-bits.ts";
import { missingRanges } from "./missing-ranges.ts";
import { type MissingEntry, NOTHING_COUNTED } from "./missing-records.ts";

const DAY = Date.UTC(2026, 10, 2);
const QUARTER_MS = 900_000;
const entry = (
  slot: number,
  reason: MissingEntry["reason"],
  numbers: readonly number[],
  period = 900,
): MissingEntry => {
  const bits = noIntervals(period === 0 ? 0 : 86_400 / period);
  for (const number of numbers) addInterval(bits, number);
  return { slot, set: "load", period, reason, bits };
};

it("another read asks each meter from the first to the last interval that may still be had", () => {
  const entries = [
    entry(1, "timeout", [10, 11]),
    entry(1, "not-yet", [20]),
    entry(1, "not-held", [0, 95]),
    entry(2, "not-held", [4]),
    entry(3, "refused", [], 0),
    entry(4, "unreachable", [3]),
    entry(5, "timeout", [1], 3600),
    entry(5, "timeout", [9]),
  ];
  const counted = { at: 0, counts: NOTHING_COUNTED, toRead: [1, 4, 5], whole: [4] };
  const ranges = missingRanges({ segment: 1, day: DAY, entries, counted, version: 1 });
  expect(Object.fromEntries(ranges)).toEqual({
    1: { from: DAY + 10 * QUARTER_MS, to: DAY + 21 * QUARTER_MS },
    5: { from: DAY + 4 * QUARTER_MS, to: DAY + 10 * QUARTER_MS },
  });
});
