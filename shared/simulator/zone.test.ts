import { describe, expect, it } from "vitest";
import { CENTRAL_EUROPE, instantOfWall, isSummer, monthStart, UTC, wallTime } from "./zone.ts";

describe("Central European time", () => {
  it.each([
    ["before summer time", "2026-03-29T00:59:59Z", false, "1:59"],
    ["summer time begins", "2026-03-29T01:00:00Z", true, "3:0"],
    ["before standard time", "2026-10-25T00:59:59Z", true, "2:59"],
    ["standard time begins", "2026-10-25T01:00:00Z", false, "2:0"],
    ["a year that ends on a Sunday", "2023-12-31T12:00:00Z", false, "13:0"],
  ])("%s", (_, text, summer, clock) => {
    const wall = wallTime(CENTRAL_EUROPE, Date.parse(text));
    expect(`${wall.hour}:${wall.minute}`).toBe(clock);
    expect(wall.summer).toBe(summer);
  });

  it("leads back to the instant, but for the repeated hour, where the earlier one is taken", () => {
    for (let instant = Date.UTC(2026, 0, 1); instant < Date.UTC(2027, 0, 1); instant += 1_800_000) {
      const repeated = instant >= Date.UTC(2026, 9, 25, 1) && instant < Date.UTC(2026, 9, 25, 2);
      expect(instantOfWall(CENTRAL_EUROPE, wallTime(CENTRAL_EUROPE, instant))).toBe(
        repeated ? instant - 3_600_000 : instant,
      );
    }
  });

  it("counts weekdays from Monday and months from their local beginning", () => {
    expect(wallTime(UTC, Date.UTC(2026, 10, 1)).dayOfWeek).toBe(7);
    expect(wallTime(UTC, Date.UTC(2026, 10, 2)).dayOfWeek).toBe(1);
    expect(monthStart(CENTRAL_EUROPE, Date.parse("2026-07-14T10:00:00Z"))).toBe(Date.parse("2026-06-30T22:00:00Z"));
    expect(isSummer(UTC, Date.UTC(2026, 6, 1))).toBe(false);
  });
});
