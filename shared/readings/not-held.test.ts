import { describe, expect, it } from "vitest";
import { countIntervals } from "./interval-bits.ts";
import { notHeldIn } from "./not-held.ts";

const DAY = Date.UTC(2026, 9, 22);
const QUARTER_MS = 900_000;
const HOUR_MS = 3_600_000;
/** Read at half past two, up to then. */
const AT = DAY + 2 * HOUR_MS + 2 * QUARTER_MS;
const RANGE = { from: DAY, to: AT };

function told(held: number, clockOffsetMs?: number): Record<string, number> {
  const report = {
    slot: 1,
    at: AT + 1_500,
    outcome: { kind: "done" as const },
    intervals: [
      {
        set: "load",
        period: 900,
        columns: [],
        ends: Array.from({ length: held }, (_, at) => DAY + (at + 1) * QUARTER_MS),
        statuses: [],
        values: [],
      },
    ],
    ...(clockOffsetMs === undefined ? {} : { clockOffsetMs }),
  };
  return Object.fromEntries(
    (notHeldIn(report as unknown as Parameters<typeof notHeldIn>[0], RANGE).get(DAY) ?? []).map(({ reason, bits }) => [
      reason,
      countIntervals(bits),
    ]),
  );
}

describe("of what a meter was asked for and did not bring", () => {
  it("the interval that ended as it was asked may come yet, earlier ones it does not hold", () => {
    expect(told(10)).toEqual({});
    expect(told(9)).toEqual({ "not-yet": 1 });
    expect(told(7)).toEqual({ "not-held": 2, "not-yet": 1 });
  });

  it("what has not ended by a clock that is behind may come yet", () => {
    expect(told(6, -HOUR_MS)).toEqual({ "not-yet": 4 });
    expect(told(4, -HOUR_MS)).toEqual({ "not-held": 1, "not-yet": 5 });
  });

  it("a clock that is ahead gives no more time", () => {
    expect(told(7, HOUR_MS)).toEqual({ "not-held": 2, "not-yet": 1 });
  });
});
