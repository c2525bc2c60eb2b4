import { describe, expect, it } from "vitest";
import { localRule } from "./meter-clock.ts";
import { isUsSummer } from "./us-summer-time.ts";

const HOUR_MS = 3_600_000;
const at = (text: string): number => Date.parse(`${text}Z`);
/** Eastern time. */
const eastern = localRule(-5 * HOUR_MS, { summerTime: "us" });

describe("a meter that keeps local time", () => {
  it.each([
    ["2026-01-15T07:00:00", "2026-01-15T12:00:00", false],
    ["2026-07-15T07:00:00", "2026-07-15T11:00:00", false],
    // The last moment of standard time, and the first of summer time.
    ["2026-03-08T01:59:59", "2026-03-08T06:59:59", false],
    ["2026-03-08T03:00:00", "2026-03-08T07:00:00", false],
    // The hour that comes twice: the first of the two.
    ["2026-11-01T01:30:00", "2026-11-01T05:30:00", true],
    ["2026-11-01T00:59:59", "2026-11-01T04:59:59", false],
    ["2026-11-01T02:00:00", "2026-11-01T07:00:00", false],
  ])("%s is %s", (wall, instant, ambiguous) => {
    expect(eastern.placed(at(wall))).toEqual({ instant: at(instant), ambiguous });
    if (!ambiguous) expect(eastern.wallOf(at(instant))).toBe(at(wall));
  });

  it("without summer time is off by the same all year", () => {
    const arizona = localRule(-7 * HOUR_MS, { summerTime: "none" });
    expect(arizona.placed(at("2026-07-15T05:00:00"))).toEqual({ instant: at("2026-07-15T12:00:00"), ambiguous: false });
  });

  it("has summer time from the second Sunday of March to the first of November", () => {
    const changes: string[] = [];
    for (let year = 2024; year < 2028; year++)
      for (let hour = Date.UTC(year, 0, 1); hour < Date.UTC(year + 1, 0, 1); hour += HOUR_MS)
        if (isUsSummer(hour) !== isUsSummer(hour - HOUR_MS)) changes.push(new Date(hour).toISOString().slice(0, 13));
    expect(changes).toEqual([
      "2024-03-10T02",
      "2024-11-03T01",
      "2025-03-09T02",
      "2025-11-02T01",
      "2026-03-08T02",
      "2026-11-01T01",
      "2027-03-14T02",
      "2027-11-07T01",
    ]);
  });
});
