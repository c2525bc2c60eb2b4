import { describe, expect, it } from "vitest";
import type { AccessItem } from "../jobs/access.ts";
import { MeterId } from "../metering/meter.ts";
import { accessWindow } from "./access-window.ts";

const item = (slot: number): AccessItem => ({
  segment: 2,
  slot,
  meterId: MeterId.parse(`m-${slot}`),
  routes: [],
  profile: { name: "generic-eu", version: 1 },
  counterOffset: 0n,
  releasedBase: 0n,
  lastOrder: 0,
  flags: { medical: false, priority: false, moratorium: false },
});

function bench(missing: readonly number[] = []) {
  const calls: string[] = [];
  const clock = { at: 0, now: () => clock.at, sleep: async () => undefined };
  const lease = { segment: 2, base: 7n, size: 10, epoch: 1 };
  const access = {
    async readMany(_segment: number, slots: readonly number[]) {
      calls.push(`read ${slots.length}`);
      clock.at += 100;
      return slots.filter((slot) => !missing.includes(slot)).map(item);
    },
  };
  const desk = {
    async lease() {
      await Promise.resolve();
      calls.push("lease");
      return lease;
    },
  };
  return { calls, clock, lease, window: accessWindow(access, desk, clock, 2) };
}
const slots = (from: number): [number, ...number[]] => [
  from,
  ...Array.from({ length: 500 }, (_, index) => from + 1 + index),
];

describe("the window of access items", () => {
  it("leases counters before it looks", async () => {
    const { calls, window, lease } = bench();
    expect(await window.read([4, 5])).toEqual({ item: item(4), lease });
    expect(calls).toEqual(["lease", "read 2"]);
  });

  it("dials on no look older than three seconds, counted from before the read", async () => {
    const { clock, window, lease } = bench([5]);
    await window.read([4, 5]);
    clock.at = 2_999;
    expect(window.fresh(4)).toEqual({ item: item(4), lease });
    expect(window.fresh(5)).toBe("absent");
    expect(window.fresh(6)).toBeUndefined();
    clock.at = 3_000;
    expect(window.fresh(4)).toBeUndefined();
  });

  it("reads further ahead while all that was read is dialled, and less far when it goes stale", async () => {
    const { calls, window } = bench();
    const read = async (used: number) => {
      await window.read(slots(0));
      for (let slot = 0; slot < used; slot++) window.forget(slot);
    };
    await read(1_000);
    await read(1_000);
    await read(1_000);
    await read(3);
    await read(3);
    await read(1_000);
    expect(calls.filter((call) => call !== "lease")).toEqual([
      "read 32",
      "read 64",
      "read 100",
      "read 100",
      "read 4",
      "read 4",
    ]);
  });
});
