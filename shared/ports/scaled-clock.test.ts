import { describe, expect, it } from "vitest";
import type { Clock } from "./clock.ts";
import { formatClockSetting, parseClockSetting, scaledClock } from "./scaled-clock.ts";

function standing(at: number): { clock: Clock; slept: number[]; set(now: number): void } {
  let now = at;
  const slept: number[] = [];
  const clock: Clock = {
    now: () => now,
    sleep: async (ms) => {
      slept.push(ms);
    },
  };
  return { clock, slept, set: (to) => (now = to) };
}

describe("a scaled clock", () => {
  it("begins at its start and runs as fast as told", async () => {
    const base = standing(1_000);
    const clock = scaledClock(base.clock, { start: 5_000_000, factor: 120, anchor: undefined });
    expect(clock.now()).toBe(5_000_000);
    base.set(1_500);
    expect(clock.now()).toBe(5_060_000);
    await clock.sleep(60_000);
    expect(base.slept).toEqual([500]);
  });

  it("shows one time everywhere when it is anchored", () => {
    const setting = parseClockSetting("2026-11-01T00:00:00Z*2@1000");
    expect(setting).toEqual({ start: Date.UTC(2026, 10, 1), factor: 2, anchor: 1000 });
    if (setting === undefined) return;
    expect(scaledClock(standing(4_000).clock, setting).now()).toBe(Date.UTC(2026, 10, 1) + 6_000);
    expect(parseClockSetting(formatClockSetting(setting))).toEqual(setting);
  });

  it.each([
    "",
    "now",
    "2026-11-01",
    "2026-11-01T00:00:00Z*0",
    "2026-11-01T00:00:00+01:00",
    "2026-13-01T00:00:00Z",
    "2026-11-01T00:00:00Z*-1",
  ])("refuses %j", (text) => expect(parseClockSetting(text)).toBeUndefined());
});
