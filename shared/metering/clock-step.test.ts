import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clockDifference, clockStep, unmarked } from "./clock-step.ts";
import { INTERVAL_STATUS } from "./result.ts";

const NOON = Date.parse("2026-11-10T12:07:13Z");
const found = (offsetMs: number) => ({ offsetMs, uncertaintyMs: 200, toleranceMs: 2_000, shown: NOON + offsetMs });
const set = (marked: boolean) => ({ channelSet: "load", period: 900, marked });

describe("a clock", () => {
  it("is as far off as was measured, give or take half the round trip", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e7, max: 1e7 }), fc.nat(5_000), fc.nat(5_000), (offset, there, back) => {
        const { clockOffsetMs, clockUncertaintyMs } = clockDifference(NOON + there + offset, {
          sentAt: NOON,
          answeredAt: NOON + there + back,
        });
        expect(Math.abs(clockOffsetMs - offset)).toBeLessThanOrEqual(clockUncertaintyMs);
      }),
    );
  });

  it("is left alone within tolerance or uncertainty", () => {
    expect(clockStep({}, [set(false)], found(1_999))).toEqual({ due: false, over: [] });
    expect(clockStep({}, [set(false)], { ...found(4_000), uncertaintyMs: 4_000 }).due).toBe(false);
    expect(clockStep({}, [set(false)], found(-3_000))).toEqual({ due: true, over: [] });
  });

  it("crosses the end of an interval only where its entries say so", () => {
    // It shows 12:15:03: the quarter has ended for it and has not for us.
    expect(clockStep({}, [set(true)], found(470_000)).over).toEqual([set(true)]);
    expect(() => clockStep({}, [set(false)], found(470_000))).toThrow(
      expect.objectContaining({ code: "clock.unmarked" }),
    );
    const late = { ...found(20_000), shown: Date.parse("2026-11-10T12:15:03Z") };
    expect(() => clockStep({}, [set(false)], late)).toThrow(
      expect.objectContaining({ code: "clock.interval-edge", retry: "later" }),
    );
    expect(clockStep({}, [set(false)], { ...late, shown: late.shown + 30_000 }).due).toBe(true);
  });

  it("is not set beyond what the order bears", () => {
    expect(() => clockStep({}, [], found(-900_001))).toThrow(expect.objectContaining({ code: "clock.too-far" }));
    expect(clockStep({ upToMs: 4_000_000 }, [], found(3_600_000)).due).toBe(true);
  });
});

describe("intervals in which a clock was set", () => {
  const end = Date.parse("2026-11-10T12:15:00Z");
  const interval = (status: number) => [
    { channelSet: "load", period: 900, channels: [], entries: [{ end, values: [], status }] },
  ];
  it("say so, or are told of", () => {
    expect(unmarked([set(true)], [NOON], interval(INTERVAL_STATUS.clockAdjusted))).toEqual([]);
    expect(unmarked([set(true)], [NOON], interval(0))).toEqual([{ item: "load", code: "clock.unmarked" }]);
    expect(unmarked([set(true)], [end + 1_000], interval(0))).toEqual([]);
  });
});
