import { describe, expect, it } from "vitest";
import { cancelJob } from "./cancel-job.ts";
import { closeJobIfDone } from "./close-job.ts";
import { collected } from "./concurrency.ts";
import { CALLER, engine, meterRows } from "./engine-fixture.ts";
import type { JobId } from "./job.ts";
import { planJob } from "./plan-job.ts";
import { SPLIT_PART, tallyOf } from "./progress.ts";
import { recordOutcomes } from "./record-outcomes.ts";
import type { Slice } from "./slice.ts";
import { advance, LEASE_MS, type SliceInput } from "./slice-machine.ts";
import { slotsIn } from "./slots.ts";
import { type JobRequest, submitJob } from "./submit-job.ts";
import { sweepLedger } from "./sweep.ts";

const READ: JobRequest = { operation: { kind: "readRegisters" }, target: { kind: "all" } };
const RETRY = { passes: 3, backoffSeconds: 60 };

async function running(segments: readonly number[], each: number, request: Partial<JobRequest> = {}) {
  const world = engine(meterRows(segments, each));
  const outcome = await submitJob(world.ports, CALLER, { ...READ, ...request });
  const job = outcome.kind === "accepted" ? await world.ports.ledger.job(outcome.jobId) : undefined;
  if (job === undefined) throw new Error("no job");
  await planJob(world.ports, job);
  const slices = (): Promise<Slice[]> => collected(world.ports.ledger.slicesOf(job.jobId));
  const apply = async (input: SliceInput): Promise<void> => {
    for (const slice of await slices()) {
      const step = advance(slice, input);
      if (step.kind === "next") await world.ports.ledger.writeSlice(slice, step.slice);
    }
  };
  const progress = async () => (await tallyOf(world.ports.ledger.slicesOf(job.jobId), world.clock.now())).progress;
  return { ...world, jobId: job.jobId, slices, apply, progress };
}

describe("the sweep", () => {
  it("does nothing, and costs nothing, where no job is live", async () => {
    const { ports } = engine();
    expect(await sweepLedger(ports)).toMatchObject({ live: 0, due: 0, sent: 0 });
  });

  it("sends again what lost its lease, with a new generation", async () => {
    const { ports, clock, sent, apply, slices } = await running([1, 2], 3);
    await apply({ input: "taken", generation: 1, owner: "b1", now: clock.now() });
    sent.length = 0;
    clock.pass(LEASE_MS / 2);
    expect((await sweepLedger(ports)).sent).toBe(0);
    clock.pass(2 * LEASE_MS);
    expect(await sweepLedger(ports)).toMatchObject({ due: 2, sent: 2 });
    expect(sent.map(({ generation }) => generation)).toEqual([2, 2]);
    expect((await slices()).map(({ state, uncleanEnds }) => [state, uncleanEnds])).toEqual([
      ["queued", 1],
      ["queued", 1],
    ]);
    expect((await sweepLedger(ports)).sent).toBe(0);
  });

  it("never resends a backlog, and resends when the lane has gone past", async () => {
    const { ports, clock, sent, slices } = await running([1, 2], 3);
    sent.length = 0;
    for (let minute = 0; minute < 60; minute++) {
      clock.pass(60_000);
      await sweepLedger(ports);
    }
    expect(sent).toEqual([]);
    await ports.ledger.raiseWatermark("bulk", clock.now());
    for (let minute = 0; minute < 12; minute++) {
      clock.pass(60_000);
      await sweepLedger(ports);
    }
    expect(sent.map(({ generation }) => generation)).toEqual([2, 2]);
    expect((await slices()).every(({ state }) => state === "queued")).toBe(true);
  });

  it("sends what was planned and never sent", async () => {
    const world = engine(meterRows([1, 2], 1));
    const outcome = await submitJob(world.ports, CALLER, READ);
    const job = outcome.kind === "accepted" ? await world.ports.ledger.job(outcome.jobId) : undefined;
    if (job === undefined) throw new Error("no job");
    world.failing.send = 1;
    await expect(planJob(world.ports, job)).rejects.toThrow("send fails");
    world.clock.pass(120_000);
    expect((await sweepLedger(world.ports)).sent).toBe(2);
    expect(world.sent.map(({ generation }) => generation)).toEqual([1, 1]);
  });

  it("plans what the planner left lying", async () => {
    const { ports, clock, sent } = engine(meterRows([1, 2], 1));
    const outcome = await submitJob(ports, CALLER, READ);
    clock.pass(60_000);
    expect((await sweepLedger(ports)).planned).toBe(0);
    clock.pass(120_000);
    expect((await sweepLedger(ports)).planned).toBe(1);
    expect(sent.length).toBe(2);
    expect(await ports.ledger.job((outcome as { jobId: JobId }).jobId)).toMatchObject({ state: "running" });
  });

  it("expires what is past the deadline with its last reason, writes progress and closes the job", async () => {
    const { ports, clock, apply, jobId, slices } = await running([1], 4);
    const [key] = await slices();
    if (key === undefined) throw new Error("no slice");
    await apply({ input: "taken", generation: 1, owner: "b1", now: clock.now() });
    await recordOutcomes(
      ports,
      key,
      { generation: 1, passOver: true },
      [
        { slot: 0, outcome: { kind: "done" } },
        { slot: 1, outcome: { kind: "failed", reason: "timeout", code: "t", retry: "later" } },
        { slot: 2, outcome: { kind: "failed", reason: "auth", code: "t", retry: "never" } },
      ],
      RETRY,
    );
    await sweepLedger(ports);
    expect(await ports.ledger.progress(jobId)).toMatchObject({
      open: 2,
      done: 1,
      failed: 1,
      reasons: { auth: 1, "open:timeout": 1 },
    });
    clock.pass(2 * 86_400_000);
    expect(await sweepLedger(ports)).toMatchObject({ ended: 1, closedJobs: 1 });
    expect(await ports.ledger.job(jobId)).toMatchObject({ state: "closed", closedAt: clock.now() });
    expect(await ports.ledger.progress(jobId)).toEqual({
      asOf: clock.now(),
      open: 0,
      done: 1,
      failed: 1,
      expired: 2,
      cancelled: 0,
      reasons: { auth: 1, timeout: 1, none: 1 },
    });
    expect(await ports.ledger.liveJobs()).toEqual([]);
  });

  it("splits what ended uncleanly three times into slices of one; every task is counted once throughout", async () => {
    const { ports, clock, sent, apply, slices, progress, jobId } = await running([1], 3);
    for (let end = 1; end <= 3; end++) {
      await apply({ input: "taken", generation: end, owner: `b${end}`, now: clock.now() });
      sent.length = 0;
      clock.pass(2 * LEASE_MS);
      await sweepLedger(ports);
      expect(await progress()).toMatchObject({ open: 3 });
    }
    expect(sent.map(({ part, generation }) => [part, generation])).toEqual(
      [0, 1, 2].map((slot) => [SPLIT_PART + slot, 1]),
    );
    const all = await slices();
    expect(all.map(({ part, state, slots }) => [part, state, slotsIn(slots, "open")])).toEqual([
      [0, "closed", []],
      [SPLIT_PART, "queued", [0]],
      [SPLIT_PART + 1, "queued", [1]],
      [SPLIT_PART + 2, "queued", [2]],
    ]);
    // What the lost bridge still reports of the slice as it was ends the slice of one.
    const key = { jobId, segment: 1, part: 0 };
    const facts = await recordOutcomes(
      ports,
      key,
      { generation: 3, passOver: true },
      [{ slot: 1, outcome: { kind: "done" } }],
      RETRY,
    );
    expect(facts).toMatchObject({ ended: 1, closed: 2 });
    expect(await progress()).toMatchObject({ open: 2, done: 1 });
  });

  it("finishes a split that was interrupted after any number of slices of one", async () => {
    for (const fails of [1, 2, 3]) {
      const { ports, clock, failing, apply, slices, progress } = await running([1], 3);
      for (let end = 1; end <= 2; end++) {
        await apply({ input: "taken", generation: end, owner: `b${end}`, now: clock.now() });
        clock.pass(2 * LEASE_MS);
        await sweepLedger(ports);
      }
      await apply({ input: "taken", generation: 3, owner: "b3", now: clock.now() });
      clock.pass(2 * LEASE_MS);
      failing.createSlice = fails;
      await expect(sweepLedger(ports)).rejects.toThrow("createSlice fails");
      expect(await progress()).toMatchObject({ open: 3 });
      clock.pass(2 * LEASE_MS);
      await sweepLedger(ports);
      expect(await progress()).toMatchObject({ open: 3 });
      expect((await slices()).map(({ part }) => part).sort((left, right) => left - right)).toEqual([
        0,
        SPLIT_PART,
        SPLIT_PART + 1,
        SPLIT_PART + 2,
      ]);
    }
  });

  it("lets a paused job rest", async () => {
    const { ports, clock, sent, apply, jobId } = await running([1], 2);
    await apply({ input: "taken", generation: 1, owner: "b1", now: clock.now() });
    await ports.ledger.moveJob(jobId, "running", { state: "paused" });
    sent.length = 0;
    clock.pass(3 * LEASE_MS);
    await sweepLedger(ports);
    expect(sent).toEqual([]);
  });
});

describe("a cancelled job", () => {
  it("ends its open tasks and keeps the others; what comes later changes nothing", async () => {
    const { ports, clock, apply, jobId, slices, progress } = await running([1, 2], 2);
    const [key] = await slices();
    if (key === undefined) throw new Error("no slice");
    await apply({ input: "taken", generation: 1, owner: "b1", now: clock.now() });
    await recordOutcomes(
      ports,
      key,
      { generation: 1, passOver: false },
      [{ slot: 0, outcome: { kind: "done" } }],
      RETRY,
    );
    expect(await cancelJob(ports, jobId)).toEqual({ kind: "accepted", jobId, state: "closed" });
    expect(await progress()).toMatchObject({ done: 1, cancelled: 3, open: 0 });
    const late = await recordOutcomes(
      ports,
      key,
      { generation: 1, passOver: true },
      [{ slot: 1, outcome: { kind: "done" } }],
      RETRY,
    );
    expect(late).toMatchObject({ ended: 0, late: 1 });
    expect(await cancelJob(ports, jobId)).toEqual({ kind: "refused", because: "already-closed" });
    expect(await cancelJob(ports, "x".repeat(26) as JobId)).toEqual({ kind: "refused", because: "unknown-job" });
  });

  it("while it is planned ends whatever the planner still makes", async () => {
    const { ports, clock } = engine(meterRows([1, 2, 3], 2));
    const outcome = await submitJob(ports, CALLER, READ);
    const job = outcome.kind === "accepted" ? await ports.ledger.job(outcome.jobId) : undefined;
    if (job === undefined) throw new Error("no job");
    expect(await cancelJob(ports, job.jobId)).toMatchObject({ state: "cancelling" });
    expect(await planJob(ports, job)).toMatchObject({ state: "cancelling" });
    expect((await tallyOf(ports.ledger.slicesOf(job.jobId), 0)).progress).toMatchObject({ open: 0, cancelled: 6 });
    clock.pass(60_000);
    await sweepLedger(ports);
    expect(await ports.ledger.job(job.jobId)).toMatchObject({ state: "closed" });
  });
});

describe("closing", () => {
  it("waits for every slice", async () => {
    const { ports, jobId, slices } = await running([1, 2], 1);
    const [first, second] = await slices();
    if (first === undefined || second === undefined) throw new Error("two slices");
    const done = [{ slot: 0, outcome: { kind: "done" as const } }];
    await recordOutcomes(ports, first, { generation: 1, passOver: false }, done, RETRY);
    expect((await closeJobIfDone(ports, jobId))?.closed).toBe(false);
    await recordOutcomes(ports, second, { generation: 1, passOver: false }, done, RETRY);
    expect((await closeJobIfDone(ports, jobId))?.closed).toBe(true);
    expect(await ports.ledger.job(jobId)).toMatchObject({ state: "closed" });
  });
});
