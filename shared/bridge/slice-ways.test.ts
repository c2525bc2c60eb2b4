import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Lane } from "../jobs/lane.ts";
import { LEASE_MS } from "../jobs/slice-machine.ts";
import { memoryWayPermits } from "./memory-way-permits.ts";
import { sliceWays, wayDesk } from "./slice-ways.ts";
import { defaultWayInLimit, leasePermits, type WayIn } from "./way-permits.ts";

const settled = () => new Promise((resolve) => setImmediate(resolve));
const never = new AbortController().signal;

describe("permits of a way in", () => {
  const claim = (owner: string, lane: Lane, wants: number, inUse = 0) => ({ owner, lane, wants, inUse });

  it("have a default by kind; the open network has no limit", () => {
    const names = ["collector:a", "cell:b", "relay:.30", "dial", "attached"];
    expect(names.map(defaultWayInLimit)).toEqual([8, 32, 32, Infinity, Infinity]);
  });

  it("leave a quarter of a way in to commands and single reads", () => {
    const bulk = leasePermits({ leases: {} }, 8, claim("bulk", "bulk", 100), 0);
    expect(bulk.permits).toBe(6);
    const urgent = leasePermits(bulk, 8, claim("urgent", "urgent", 100), 0);
    expect(urgent.permits).toBe(0);
    expect(leasePermits(urgent, 8, claim("read", "interactive", 1), 0).permits).toBe(1);
    expect(leasePermits({ leases: {} }, 8, claim("images", "images", 100), 0).permits).toBe(2);
    expect(leasePermits({ leases: {} }, 1, claim("bulk", "bulk", 100), 0).permits).toBe(1);
    expect(leasePermits({ leases: {} }, 0, claim("read", "interactive", 1), 0).permits).toBe(0);
  });

  it("are given up above the fair share, at the next renewal, when somebody found none; never those in use", () => {
    const first = leasePermits({ leases: {} }, 8, claim("one", "bulk", 100), 0);
    const wish = leasePermits(first, 8, claim("two", "bulk", 100), 1_000);
    expect(wish.permits).toBe(0);
    expect(leasePermits(wish, 8, claim("one", "bulk", 100, 5), 20_000).permits).toBe(5);
    const renewed = leasePermits(wish, 8, claim("one", "bulk", 100, 2), 20_000);
    expect(renewed.permits).toBe(3);
    expect(leasePermits(renewed, 8, claim("two", "bulk", 100), 21_000).permits).toBe(3);
  });

  it("come back when their holder is gone for as long as a lease lasts", () => {
    const gone = leasePermits({ leases: {} }, 8, claim("gone", "bulk", 100), 0);
    expect(leasePermits(gone, 8, claim("next", "bulk", 100), LEASE_MS - 1).permits).toBe(0);
    const next = leasePermits(gone, 8, claim("next", "bulk", 100), LEASE_MS);
    expect(next).toMatchObject({ permits: 6, leases: { next: { permits: 6 } } });
    expect(next.leases).not.toHaveProperty("gone");
  });

  it("are never more than the limit, whoever claims what in which order", () => {
    const step = fc.record({
      owner: fc.constantFrom("a", "b", "c", "d", "e"),
      lane: fc.constantFrom<Lane>("commands", "interactive", "urgent", "bulk", "images"),
      wants: fc.nat(20),
      inUse: fc.nat(20),
      wait: fc.nat(30_000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 12 }), (steps, limit) => {
        let way: Pick<WayIn, "leases"> = { leases: {} };
        let now = 0;
        for (const { wait, ...one } of steps) {
          now += wait;
          way = leasePermits(way, limit, one, now);
          const live = Object.values(way.leases).filter(({ until }) => until > now);
          expect(live.reduce((sum, { permits }) => sum + permits, 0)).toBeLessThanOrEqual(limit);
        }
      }),
    );
  });
});

describe("the ways in of a slice", () => {
  const begin = () => {
    const time = { now: 1_000_000 };
    const clock = { now: () => time.now, sleep: () => Promise.resolve() };
    const store = memoryWayPermits();
    const slice = (owner: string, lane: Lane = "bulk") => sliceWays(wayDesk(store, clock), clock, owner, lane);
    return { time, store, slice };
  };

  it("cost nothing where there is no limit", async () => {
    const { store, slice } = begin();
    const ways = slice("a");
    for (let session = 0; session < 100; session++) expect(ways.take("dial", 100)).toBeDefined();
    await ways.renew();
    await ways.giveBack();
    expect((await store.read("dial")).version).toBe(0);
  });

  it("are leased in one write, renewed, and given back", async () => {
    const { time, store, slice } = begin();
    const ways = slice("a");
    expect(ways.take("collector:x", 50)).toBeUndefined(); // asked for in the background
    await ways.freed(never);
    expect((await store.read("collector:x")).version).toBe(1);
    const permits = Array.from({ length: 8 }, () => ways.take("collector:x", 50)).filter((one) => one !== undefined);
    expect(permits).toHaveLength(6);
    expect(ways.hasRoom("collector:x")).toBe(false);
    permits[0]?.release();
    expect(() => permits[0]?.release()).toThrow("once");
    expect(ways.take("collector:x", 50)).toBeDefined();
    time.now += 20_000;
    await ways.renew();
    expect((await store.read("collector:x")).leases.a).toMatchObject({ permits: 6, until: time.now + LEASE_MS });
    await ways.giveBack();
    expect((await store.read("collector:x")).leases).toEqual({});
  });

  it("begin no session on a lease that was not renewed", async () => {
    const { time, slice } = begin();
    const ways = slice("a");
    ways.take("collector:x", 5);
    await ways.freed(never);
    time.now += LEASE_MS - 4_000;
    expect(ways.take("collector:x", 5)).toBeUndefined();
  });

  it("let another bridge's slice in once the first gives back; other ways in are not held up", async () => {
    const { time, store, slice } = begin();
    await store.setLimit("collector:x", 1);
    const [first, second] = [slice("a"), slice("b")];
    first.take("collector:x", 9);
    await first.freed(never);
    expect(first.take("collector:x", 9)).toBeDefined();
    expect(second.take("collector:x", 9)).toBeUndefined();
    await second.freed(never);
    expect(second.take("collector:x", 9)).toBeUndefined();
    expect(second.take("dial", 9)).toBeDefined();
    await first.giveBack();
    expect(second.hasRoom("collector:x")).toBe(false); // not asked for again before a second has passed
    time.now += 1_000;
    expect(second.take("collector:x", 9)).toBeUndefined();
    await settled();
    expect(second.take("collector:x", 9)).toBeDefined();
  });
});
