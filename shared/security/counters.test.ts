import { describe, expect, it } from "vitest";
import type { AccessItem, CounterLease } from "../jobs/access.ts";
import { MeterId } from "../metering/meter.ts";
import {
  COUNTER_ALARM,
  COUNTER_LIMIT,
  EPOCH_JUMP,
  fitLease,
  leasedCounters,
  leaseFrom,
  OFFSET_RAISE_A_DAY,
  OFFSET_RAISE_STEP,
  raiseOffset,
} from "./counters.ts";

const lease = (base: bigint, size = 100): CounterLease => ({ segment: 1, base, size, epoch: 1 });
const meter = (change: Partial<AccessItem> = {}): AccessItem => ({
  segment: 1,
  slot: 0,
  meterId: MeterId.parse("m"),
  routes: [],
  profile: { name: "generic-eu", version: 1 },
  counterOffset: 0n,
  releasedBase: 0n,
  lastOrder: 0,
  flags: { medical: false, priority: false, moratorium: false },
  ...change,
});

describe("a segment's mark", () => {
  it("starts at nothing, rises by each lease, and never restarts", () => {
    const first = leaseFrom(undefined, 10, 1);
    expect(first).toEqual({ base: 0n, next: { mark: 10n, epoch: 1 } });
    expect(leaseFrom({ mark: 10n, epoch: 1 }, 5, 1)).toEqual({ base: 10n, next: { mark: 15n, epoch: 1 } });
  });

  it("jumps once for each epoch that has begun since, also where the copy has no mark", () => {
    expect(leaseFrom({ mark: 10n, epoch: 1 }, 5, 3)).toEqual({
      base: 10n + 2n * EPOCH_JUMP,
      next: { mark: 15n + 2n * EPOCH_JUMP, epoch: 3 },
    });
    expect(leaseFrom(undefined, 5, 2)).toMatchObject({ base: EPOCH_JUMP });
  });

  it("refuses an epoch that is over, and leases of no sensible size", () => {
    expect(leaseFrom({ mark: 10n, epoch: 2 }, 5, 1)).toBe("stale");
    for (const size of [0, -1, 1.5, 65_537]) expect(() => leaseFrom(undefined, size, 1)).toThrow("1 to 65,536");
    expect(() => leaseFrom(undefined, 1, 0)).toThrow("from 1");
  });
});

describe("whether a lease serves a meter", () => {
  it.each([
    ["a new meter", meter(), lease(0n), { kind: "usable", wear: "fine" }],
    ["a rotated key below its base", meter({ counterOffset: -500n }), lease(400n), { kind: "lease-again" }],
    ["a rotated key from its base on", meter({ counterOffset: -500n }), lease(500n), { kind: "usable", wear: "fine" }],
    ["below what a holder used", meter({ releasedBase: 300n }), lease(200n), { kind: "lease-again" }],
    ["above what a holder used", meter({ releasedBase: 300n }), lease(300n), { kind: "usable", wear: "fine" }],
    ["below the floor of a raise", meter({ offsetFloor: 300n }), lease(200n), { kind: "lease-again" }],
    ["above the floor of a raise", meter({ offsetFloor: 300n }), lease(300n), { kind: "usable", wear: "fine" }],
    ["a raise that is not settled", meter({ offsetFloor: "unsettled" }), lease(9_999n), { kind: "unsettled" }],
    ["up to the alarm", meter(), lease(BigInt(COUNTER_ALARM) - 100n), { kind: "usable", wear: "fine" }],
    ["beyond the alarm", meter(), lease(BigInt(COUNTER_ALARM) - 99n), { kind: "usable", wear: "alarm" }],
    ["up to the limit", meter(), lease(BigInt(COUNTER_LIMIT) - 100n), { kind: "usable", wear: "alarm" }],
    ["beyond the limit", meter(), lease(BigInt(COUNTER_LIMIT) - 99n), { kind: "worn" }],
  ])("%s", (_name, item, leased, fit) => expect(fitLease(leased, item)).toEqual(fit));
});

describe("leased counters", () => {
  it("are the lease's, offset, each once, and then no more", () => {
    const counters = leasedCounters(lease(1_000n, 3), -990n);
    expect(counters.last).toBeUndefined();
    expect([counters.next(), counters.next(), counters.next()]).toEqual([10, 11, 12]);
    expect(() => counters.next()).toThrow(
      expect.objectContaining({ code: "counter.exhausted", reason: "internal", retry: "later" }),
    );
    expect({ drawn: counters.drawn, last: counters.last }).toEqual({ drawn: 3, last: 12 });
  });

  it("never leave 32 bits", () => {
    expect(() => leasedCounters(lease(0n), -1n)).toThrow("0xf0000000");
    expect(() => leasedCounters(lease(BigInt(COUNTER_LIMIT)), 0n)).toThrow("0xf0000000");
  });
});

describe("raising an offset", () => {
  const noon = 20_000 * 86_400_000 + 43_200_000;
  it("goes as far as the meter says, or a step where it says nothing", () => {
    expect(raiseOffset(meter({ counterOffset: 7n }), { refused: 100, expected: 150 }, noon)).toEqual({
      kind: "raise",
      offset: 57n,
      raises: { day: 20_000, sum: 50n },
    });
    expect(raiseOffset(meter(), { refused: 100 }, noon)).toMatchObject({ offset: OFFSET_RAISE_STEP });
    expect(raiseOffset(meter(), { refused: 100, expected: 50 }, noon)).toMatchObject({ offset: OFFSET_RAISE_STEP });
  });

  it("is bounded a day without proof, and not with it", () => {
    const spent = { offsetRaises: { day: 20_000, sum: OFFSET_RAISE_A_DAY - 10n } };
    const far = { refused: 0, expected: 11 };
    expect(raiseOffset(meter(spent), far, noon)).toEqual({ kind: "beyond-limit", needed: 11n, left: 10n });
    expect(raiseOffset(meter(spent), { ...far, proved: true }, noon)).toMatchObject({
      kind: "raise",
      offset: 11n,
      raises: spent.offsetRaises,
    });
    expect(raiseOffset(meter(spent), far, noon + 86_400_000)).toMatchObject({
      kind: "raise",
      raises: { day: 20_001, sum: 11n },
    });
    expect(raiseOffset(meter(), { refused: 0, expected: 3_900_000_000 }, noon)).toMatchObject({ kind: "beyond-limit" });
  });
});
