import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LANES, type Lane } from "../jobs/lane.ts";
import { openSlices, type Permit, quotasOf, sessionPool } from "./session-pool.ts";

const never = new AbortController().signal;
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("session quotas", () => {
  it("give commands and interactive sessions of their own, and leave room above each lower lane", () => {
    expect(quotasOf(256)).toEqual({
      commands: 32,
      interactive: 32,
      shared: 192,
      most: { urgent: 192, bulk: 144, images: 48 },
    });
    expect(() => quotasOf(7)).toThrow("at least 8");
    expect(openSlices("interactive", quotasOf(256))).toBe(32);
    expect(openSlices("bulk", quotasOf(256))).toBe(32);
  });
});

describe("the session pool", () => {
  it("never gives more than the quotas, loses none and starves no lane that others leave room for", async () => {
    const action = fc.record({ lane: fc.constantFrom(...LANES), release: fc.boolean(), which: fc.nat(1_000) });
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 200 }), async (actions) => {
        const quotas = quotasOf(24);
        const pool = sessionPool(quotas);
        const out: { lane: Lane; permit: Permit }[] = [];
        for (const { lane, release, which } of actions) {
          if (release && out.length > 0) out.splice(which % out.length, 1)[0]?.permit.release();
          else void pool.session(lane, never).then((permit) => void out.push({ lane, permit }));
          await settled();
          const used = (...lanes: Lane[]) => out.filter((one) => lanes.includes(one.lane)).length;
          expect(used("commands")).toBeLessThanOrEqual(quotas.commands);
          expect(used("interactive")).toBeLessThanOrEqual(quotas.interactive);
          expect(used("urgent", "bulk", "images")).toBeLessThanOrEqual(quotas.shared);
          expect(used("bulk")).toBeLessThanOrEqual(quotas.most.bulk);
          expect(used("images")).toBeLessThanOrEqual(quotas.most.images);
          expect(pool.busy).toBe(out.length);
        }
        for (; out.length > 0; await settled()) out.pop()?.permit.release(); // who still waits is served too
        expect(pool.busy).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it("divides what the lower lanes share by weight while all want more, and starves none", async () => {
    const quotas = quotasOf(56); // 42 shared
    const pool = sessionPool(quotas);
    const out: Record<string, Permit[]> = { urgent: [], bulk: [], images: [] };
    const ask = (lane: "urgent" | "bulk" | "images") =>
      void pool.session(lane, never).then((permit) => void out[lane]?.push(permit));
    for (let waiter = 0; waiter < 200; waiter++) ask("urgent"); // it is alone at first and has all
    await settled();
    for (let waiter = 0; waiter < 200; waiter++) for (const lane of ["images", "bulk"] as const) ask(lane);
    for (let turn = 0; turn < 150; turn++) {
      const busiest = Object.values(out).reduce((left, right) => (right.length > left.length ? right : left));
      busiest.shift()?.release();
      await settled();
    }
    expect(Object.values(out).map(({ length }) => length)).toEqual([24, 12, 6]);
  });

  it("serves the lane that is furthest below its weight first, and inside a lane who came first", async () => {
    const pool = sessionPool(quotasOf(8)); // six shared
    const held = await Promise.all(Array.from({ length: 6 }, () => pool.session("urgent", never)));
    const order: string[] = [];
    for (const name of ["bulk 1", "bulk 2", "urgent 1", "images 1"])
      void pool.session(name.split(" ")[0] as Lane, never).then(() => void order.push(name));
    for (const permit of held.slice(0, 4)) permit.release();
    await settled();
    expect(order).toEqual(["bulk 1", "images 1", "bulk 2", "urgent 1"]);
  });

  it("gives a freed session to the share that has the fewest, whoever came first", async () => {
    const pool = sessionPool(quotasOf(16)); // two interactive
    const claim = (share: string) => ({ share, ping: false });
    const flood = await Promise.all([1, 2].map(() => pool.session("interactive", never, claim("flood"))));
    const order: string[] = [];
    for (const share of ["flood", "flood", "flood", "anna", "bert"])
      void pool.session("interactive", never, claim(share)).then((permit) => {
        order.push(share);
        setImmediate(() => permit.release());
      });
    flood[0]?.release();
    for (let turn = 0; turn < 20; turn++) await settled();
    expect(order).toEqual(["anna", "bert", "flood", "flood", "flood"]);
  });

  it("keeps a quarter of the interactive sessions from pings", async () => {
    const pool = sessionPool(quotasOf(64)); // eight interactive
    const pings = Array.from({ length: 8 }, () => pool.session("interactive", never, { share: "a~ping", ping: true }));
    await settled();
    expect(pool.busy).toBe(6);
    const reads = await Promise.all([1, 2].map(() => pool.session("interactive", never, { share: "a", ping: false })));
    (await pings[0])?.release();
    await settled();
    expect(pool.busy).toBe(8);
    for (const permit of reads) permit.release();
    await settled();
    expect(pool.busy).toBe(6);
  });

  it("lets a waiter go when its signal aborts, without losing the session", async () => {
    const pool = sessionPool(quotasOf(8));
    const only = await pool.session("commands", never);
    const tired = new AbortController();
    const waiting = pool.session("commands", tired.signal);
    const next = pool.session("commands", never);
    tired.abort(new Error("tired"));
    await expect(waiting).rejects.toThrow("tired");
    only.release();
    (await next).release();
    expect(pool.busy).toBe(0);
    await expect(pool.session("commands", tired.signal)).rejects.toThrow("tired");
    expect(() => only.release()).toThrow("once");
  });
});
