import { describe, expect, it } from "vitest";
import { dayAfter, dayOf, isDay, spanOfDays } from "./day-span.ts";

describe("days of the calendar", () => {
  it.each([
    ["2026-02-28", 1, "2026-03-01"],
    ["2028-02-28", 1, "2028-02-29"],
    ["2026-01-01", -1, "2025-12-31"],
    ["2026-03-29", 31, "2026-04-29"],
  ] as const)("%s and %i days is %s", (day, days, expected) => expect(dayAfter(day, days)).toBe(expected));

  it("knows days from other texts", () => {
    expect(["2026-02-29", "2026-2-1", "", "2026-13-01", "2026-02-28T00"].filter(isDay)).toEqual([]);
    expect(isDay("2026-02-28")).toBe(true);
  });

  it("goes from local midnight to local midnight, so that neighbours meet, also where the clocks change", () => {
    for (let day = "2026-01-01"; day < "2027-01-01"; day = dayAfter(day, 1)) {
      const { from, to } = spanOfDays(day, 1);
      expect([new Date(from).getHours(), new Date(to).getHours(), dayOf(from), dayOf(to - 1)]).toEqual([
        0,
        0,
        day,
        day,
      ]);
      expect(spanOfDays(dayAfter(day, 1), 1).from).toBe(to);
      expect(spanOfDays(day, 7)).toEqual({ from: spanOfDays(dayAfter(day, -6), 1).from, to });
    }
  });
});
