import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MeterId } from "../metering/meter.ts";
import { cancelJob } from "./cancel-job.ts";
import { CALLER, engine, meterRows, T0 } from "./engine-fixture.ts";
import type { JobId } from "./job.ts";
import { CHAIN_MAX, releaseOf, startOf } from "./release.ts";
import { ANNA, MINUTE, pass, READ, slicesOf, stateOf, submitted } from "./steer-fixture.ts";
import { submitJob } from "./submit-job.ts";
import { sweepLedger } from "./sweep.ts";

describe("a job with a window", () => {
  it("is planned now, sent by the sweep from then on, and has its day after that", async () => {
    const world = engine(meterRows([1, 2], 2));
    const jobId = await submitted(world, { notBefore: T0 + 10 * MINUTE });
    expect(await world.ports.ledger.job(jobId)).toMatchObject({
      state: "planned",
      slices: 2,
      deadline: T0 + 10 * MINUTE + 86_400_000,
    });
    for (let minute = 1; minute < 10; minute++) {
      world.clock.pass(MINUTE);
      expect((await sweepLedger(world.ports)).sent).toBe(0);
    }
    expect(world.sent).toEqual([]);
    world.clock.pass(MINUTE);
    await sweepLedger(world.ports);
    expect(await stateOf(world, jobId)).toBe("running");
    expect(world.sent.length).toBe(2);
    world.clock.pass(MINUTE);
    expect((await sweepLedger(world.ports)).sent).toBe(0);
  });

  it("of one meter waits as well", async () => {
    const world = engine(meterRows([1], 2));
    const target = { kind: "meters" as const, meterIds: ["M-1" as MeterId] };
    const jobId = await submitted(world, { target, notBefore: T0 + MINUTE });
    expect([await stateOf(world, jobId), world.sent.length]).toEqual(["planned", 0]);
    world.clock.pass(MINUTE);
    await sweepLedger(world.ports);
    expect([await stateOf(world, jobId), world.sent.length]).toEqual(["running", 1]);
  });
});

describe("a spread start", () => {
  const SPREAD = 30 * 60;

  it("sends each slice once, at its own minute, over the spread, and no sweep takes a waiting one for lost", async () => {
    const world = engine(meterRows([...Array(40).keys()], 1));
    const jobId = await submitted(world, { spreadSeconds: SPREAD });
    const starts = new Map((await slicesOf(world, jobId)).map((slice) => [slice.segment, slice.nextAttempt]));
    const seen = new Map<number, number>();
    for (let minute = 0; minute <= 31; minute++) {
      for (const { segment, generation } of world.sent.splice(0)) {
        expect(generation).toBe(1);
        expect(seen.has(segment)).toBe(false);
        seen.set(segment, minute);
        expect(world.clock.now()).toBeGreaterThanOrEqual(starts.get(segment) ?? Number.POSITIVE_INFINITY);
      }
      await sweepLedger(world.ports);
      if (world.sent.length === 0) world.clock.pass(MINUTE);
      else minute--;
    }
    expect(seen.size).toBe(40);
    expect(new Set(seen.values()).size).toBeGreaterThan(12);
  });

  it("is the same whoever asks, inside the spread, and early where there is none", () => {
    fc.assert(
      fc.property(fc.nat(20_000), fc.nat(21_600), fc.nat(1e6), (segment, spreadSeconds, later) => {
        const key = { jobId: "j".repeat(26) as JobId, segment, part: 0 };
        const job = { createdAt: T0, notBefore: T0 + later, spreadSeconds };
        const start = startOf(job, key);
        expect(start).toBe(startOf(job, key));
        expect(start).toBeGreaterThanOrEqual(T0 + later);
        expect(start).toBeLessThan(T0 + later + Math.max(1, spreadSeconds * 1000));
      }),
    );
  });
});

describe("a job that waits for another one", () => {
  it.each<{ on: "closed" | "done"; fails: boolean; state: string; sent: number }>([
    { on: "closed", fails: false, state: "running", sent: 1 },
    { on: "closed", fails: true, state: "running", sent: 1 },
    { on: "done", fails: false, state: "running", sent: 1 },
    { on: "done", fails: true, state: "closed", sent: 0 },
  ])("on $on, when a task of that fails: $fails: is then $state", async ({ on, fails, state, sent }) => {
    const world = engine(meterRows([1], 3));
    const first = await submitted(world);
    const second = await submitted(world, { after: { jobId: first, on } });
    world.sent.length = 0;
    world.clock.pass(MINUTE);
    await sweepLedger(world.ports);
    expect([await stateOf(world, second), world.sent.length]).toEqual(["planned", 0]);
    await pass(world, first, (slot) => (fails && slot === 0 ? ["auth", "never"] : undefined));
    expect(await stateOf(world, first)).toBe("closed");
    world.clock.pass(MINUTE);
    await sweepLedger(world.ports);
    expect([await stateOf(world, second), world.sent.length]).toEqual([state, sent]);
    if (state === "closed") {
      const job = await world.ports.ledger.job(second);
      expect(job?.steps).toMatchObject([{ action: "dropped", by: { id: "headrace" } }]);
      expect(job?.steps?.[0]?.reason).toContain(first);
      expect(await world.ports.ledger.progress(second)).toMatchObject({ cancelled: 3, open: 0 });
    }
  });

  it("is dropped with the one that it waits for, row by row", async () => {
    const world = engine(meterRows([1], 1));
    const first = await submitted(world);
    const second = await submitted(world, { after: { jobId: first, on: "done" } });
    const third = await submitted(world, { after: { jobId: second, on: "done" } });
    await cancelJob(world.ports, first, ANNA);
    for (const _ of [1, 2]) {
      world.clock.pass(MINUTE);
      await sweepLedger(world.ports);
    }
    expect(await Promise.all([first, second, third].map((jobId) => stateOf(world, jobId)))).toEqual(
      Array(3).fill("closed"),
    );
  });

  it("past its deadline expires, and sends nothing", async () => {
    const world = engine(meterRows([1], 2));
    const first = await submitted(world);
    const second = await submitted(world, { after: { jobId: first, on: "done" }, deadline: T0 + 5 * MINUTE });
    world.sent.length = 0;
    for (let minute = 0; minute < 8; minute++) {
      world.clock.pass(MINUTE);
      await sweepLedger(world.ports);
    }
    expect(world.sent.filter(({ job }) => job === second)).toEqual([]);
    expect(await stateOf(world, second)).toBe("closed");
    expect(await world.ports.ledger.progress(second)).toMatchObject({ expired: 2 });
  });

  it("is refused where that is not there, or where the row is too long", async () => {
    const world = engine(meterRows([1], 1));
    const unknown = { jobId: "j".repeat(26) as JobId, on: "done" as const };
    expect(await submitJob(world.ports, CALLER, { ...READ, after: unknown })).toMatchObject({ because: "unknown-job" });
    let last = await submitted(world);
    for (let length = 1; length < CHAIN_MAX; length++)
      last = await submitted(world, { after: { jobId: last, on: "closed" } });
    await submitted(world, { after: { jobId: last, on: "closed" } });
    const longest = await submitted(world, { after: { jobId: last, on: "closed" } });
    expect(await submitJob(world.ports, CALLER, { ...READ, after: { jobId: longest, on: "closed" } })).toMatchObject({
      because: "cycle",
      field: "after.jobId",
    });
  });

  it("is refused where the row leads back to itself", async () => {
    const world = engine(meterRows([1], 1));
    const request = { ...READ, idempotencyKey: "ring" };
    const own = await submitJob(world.ports, CALLER, request);
    if (own.kind === "refused") throw new Error(own.because);
    const other = await submitted(world, { after: { jobId: own.jobId, on: "closed" } });
    // As if the first had not been there when the second was accepted: what no order of calls brings about.
    const gone = engine(meterRows([1], 1));
    const second = await world.ports.ledger.job(other);
    if (second !== undefined) await gone.ports.ledger.createJob(second);
    const ring = await submitJob(gone.ports, CALLER, { ...request, after: { jobId: other, on: "closed" } });
    expect(ring).toMatchObject({ kind: "refused", because: "cycle" });
  });

  it("is released by one rule, whatever comes together", () => {
    const awaited = fc.constantFrom("live" as const, "done" as const, "not-done" as const, "unknown" as const);
    fc.assert(
      fc.property(
        awaited,
        fc.constantFrom("closed" as const, "done" as const),
        fc.nat(100),
        fc.nat(100),
        (was, on, now, notBefore) => {
          const job = { notBefore, deadline: 90, after: { jobId: "j".repeat(26) as JobId, on } };
          const { kind } = releaseOf(job, now, was);
          if (now >= 90) expect(kind).toBe("send");
          else if (was === "live") expect(kind).toBe("wait");
          else if (was === "unknown" || (was === "not-done" && on === "done")) expect(kind).toBe("drop");
          else expect(kind).toBe(now < notBefore ? "wait" : "send");
        },
      ),
    );
  });
});
