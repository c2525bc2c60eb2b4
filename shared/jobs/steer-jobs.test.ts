import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FailureReason } from "../metering/failure.ts";
import type { MeterId } from "../metering/meter.ts";
import { cancelJob } from "./cancel-job.ts";
import { cloneJob } from "./clone-job.ts";
import { closeJobIfDone } from "./close-job.ts";
import { collected } from "./concurrency.ts";
import { CALLER, engine, meterRows, T0 } from "./engine-fixture.ts";
import type { JobId, RetryPolicy } from "./job.ts";
import { laneFor } from "./lane-rule.ts";
import { pauseJob, resumeJob } from "./pause-job.ts";
import { planJob } from "./plan-job.ts";
import { recordOutcomes } from "./record-outcomes.ts";
import { CHAIN_MAX, releaseOf, startOf } from "./release.ts";
import { advance } from "./slice-machine.ts";
import { slotReason, slotState } from "./slots.ts";
import { type JobRequest, submitJob } from "./submit-job.ts";
import { sweepLedger } from "./sweep.ts";

const MINUTE = 60_000;
const READ: JobRequest = { operation: { kind: "readRegisters" }, target: { kind: "all" } };
const ANNA = { by: { id: "anna" }, reason: "because" };
type World = ReturnType<typeof engine>;

async function submitted(world: World, request: Partial<JobRequest> = {}): Promise<JobId> {
  const outcome = await submitJob(world.ports, CALLER, { ...READ, ...request });
  if (outcome.kind === "refused") throw new Error(`${outcome.because} ${outcome.field}`);
  const job = await world.ports.ledger.job(outcome.jobId);
  if (job?.state === "planning") await planJob(world.ports, job);
  return outcome.jobId;
}
const stateOf = async (world: World, jobId: JobId) => (await world.ports.ledger.job(jobId))?.state;
const slicesOf = (world: World, jobId: JobId) => collected(world.ports.ledger.slicesOf(jobId));

/** One pass over every slice of the job: each slot ends as `endOf` says; undefined is done. */
async function pass(
  world: World,
  jobId: JobId,
  endOf: (slot: number) => readonly [FailureReason, "later" | "never"] | undefined,
) {
  const job = await world.ports.ledger.job(jobId);
  if (job === undefined) throw new Error("no job");
  for (const slice of await slicesOf(world, jobId)) {
    const step = advance(slice, { input: "taken", generation: slice.generation, owner: "b", now: world.clock.now() });
    if (step.kind === "ignored") continue;
    await world.ports.ledger.writeSlice(slice, step.slice);
    const slots = [...slice.slots.keys()].filter((slot) => slotState(slice.slots, slot) === "open");
    const reports = slots.map((slot) => {
      const end = endOf(slot);
      const outcome =
        end === undefined
          ? ({ kind: "done" } as const)
          : ({ kind: "failed", reason: end[0], code: "test", retry: end[1] } as const);
      return { slot, outcome };
    });
    await recordOutcomes(world.ports, slice, { generation: slice.generation, passOver: true }, reports, job.retry);
  }
  await closeJobIfDone(world.ports, jobId);
}

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

describe("pause and resume", () => {
  it("send nothing in between, and what is due at once after it", async () => {
    const world = engine(meterRows([1, 2], 2));
    const jobId = await submitted(world);
    const [slice] = await slicesOf(world, jobId);
    if (slice === undefined) throw new Error("no slice");
    const taken = advance(slice, { input: "taken", generation: 1, owner: "b", now: world.clock.now() });
    if (taken.kind === "ignored") throw new Error(taken.because);
    await world.ports.ledger.writeSlice(slice, taken.slice);
    expect(await pauseJob(world.ports, jobId, ANNA)).toMatchObject({ kind: "accepted", state: "paused" });
    // The bridge has seen it and gives the slice back.
    const held = (await slicesOf(world, jobId)).find(({ state }) => state === "working");
    if (held === undefined) throw new Error("nobody works");
    const back = advance(held, { input: "drained", owner: "b", now: world.clock.now() });
    if (back.kind === "next") await world.ports.ledger.writeSlice(held, back.slice);
    world.sent.length = 0;
    for (let minute = 0; minute < 20; minute++) {
      world.clock.pass(MINUTE);
      await sweepLedger(world.ports);
    }
    expect(world.sent).toEqual([]);
    expect(await resumeJob(world.ports, jobId, ANNA)).toMatchObject({ kind: "accepted", state: "running" });
    expect(world.sent).toMatchObject([{ segment: slice.segment, generation: 2 }]);
    expect((await world.ports.ledger.job(jobId))?.steps).toMatchObject([
      { action: "paused", by: { id: "anna" }, reason: "because", at: T0 },
      { action: "resumed", at: T0 + 20 * MINUTE },
    ]);
  });

  it("in the middle of planning lose no slice, and close nothing", async () => {
    const world = engine(meterRows([1, 2, 3], 2));
    const outcome = await submitJob(world.ports, CALLER, READ);
    if (outcome.kind === "refused") throw new Error(outcome.because);
    const { jobId } = outcome;
    const planning = await world.ports.ledger.job(jobId);
    if (planning === undefined) throw new Error("no job");
    await pauseJob(world.ports, jobId, ANNA);
    expect(await planJob(world.ports, planning)).toMatchObject({ state: "paused" });
    world.clock.pass(10 * MINUTE);
    await sweepLedger(world.ports);
    expect([await stateOf(world, jobId), world.sent.length]).toEqual(["paused", 0]);
    await resumeJob(world.ports, jobId, ANNA);
    expect(await stateOf(world, jobId)).toBe("planning");
    await sweepLedger(world.ports);
    expect([await stateOf(world, jobId), world.sent.length]).toEqual(["running", 3]);
  });

  it("do not stop the deadline", async () => {
    const world = engine(meterRows([1], 2));
    const jobId = await submitted(world, { deadline: T0 + 5 * MINUTE });
    await pauseJob(world.ports, jobId, ANNA);
    for (let minute = 0; minute < 20; minute++) {
      world.clock.pass(MINUTE);
      await sweepLedger(world.ports);
    }
    expect(await stateOf(world, jobId)).toBe("closed");
    expect(await world.ports.ledger.progress(jobId)).toMatchObject({ expired: 2 });
  });

  it.each<{ name: string; prepare: (world: World, jobId: JobId) => Promise<unknown>; pause: string; resume: string }>([
    { name: "running", prepare: async () => undefined, pause: "accepted", resume: "not-paused" },
    {
      name: "paused",
      prepare: (world, jobId) => pauseJob(world.ports, jobId, ANNA),
      pause: "accepted",
      resume: "accepted",
    },
    {
      name: "closed",
      prepare: (world, jobId) => cancelJob(world.ports, jobId, ANNA),
      pause: "already-closed",
      resume: "already-closed",
    },
    {
      name: "being cancelled",
      prepare: (world, jobId) => world.ports.ledger.moveJob(jobId, "running", { state: "cancelling" }),
      pause: "ending",
      resume: "not-paused",
    },
  ])("of a job that is $name: $pause, $resume", async ({ prepare, pause, resume }) => {
    const said = (outcome: Awaited<ReturnType<typeof pauseJob>>) =>
      outcome.kind === "accepted" ? "accepted" : outcome.because;
    for (const [steer, expected] of [
      [pauseJob, pause],
      [resumeJob, resume],
    ] as const) {
      const world = engine(meterRows([1], 1));
      const jobId = await submitted(world);
      await prepare(world, jobId);
      expect(said(await steer(world.ports, jobId, ANNA))).toBe(expected);
    }
  });
});

describe("a clone for what failed", () => {
  it.each<{ name: string; reasons?: FailureReason[]; slots: number[] }>([
    { name: "all reasons", slots: [0, 1, 4, 5] },
    { name: "one reason", reasons: ["auth"], slots: [0, 4] },
  ])("$name: the slots that ended so, and no other", async ({ reasons, slots }) => {
    const world = engine(
      meterRows([1, 2], 4).map(([id, place]) => [id, { ...place, slot: place.slot + (place.segment - 1) * 4 }]),
    );
    const first = await submitted(world, { retry: { passes: 1 } });
    await pass(world, first, (slot) =>
      slot % 4 === 0 ? ["auth", "never"] : slot % 4 === 1 ? ["timeout", "later"] : undefined,
    );
    const outcome = await cloneJob(world.ports, CALLER, first, { ...(reasons === undefined ? {} : { reasons }) });
    if (outcome.kind === "refused") throw new Error(outcome.because);
    const job = await world.ports.ledger.job(outcome.jobId);
    if (job === undefined) throw new Error("no job");
    expect(job).toMatchObject({ lane: "urgent", operation: READ.operation, retry: { passes: 1 } });
    await planJob(world.ports, job);
    const open = (await slicesOf(world, outcome.jobId)).flatMap(({ slots: octets }) =>
      [...octets.keys()].filter((slot) => slotState(octets, slot) === "open"),
    );
    expect(open.sort()).toEqual(slots);
  });

  it("of a job where nothing failed is refused", async () => {
    const world = engine(meterRows([1], 2));
    const first = await submitted(world);
    await pass(world, first, () => undefined);
    expect(await cloneJob(world.ports, CALLER, first, {})).toMatchObject({ because: "no-such-tasks" });
    expect(await cloneJob(world.ports, CALLER, "j".repeat(26) as JobId, {})).toMatchObject({ because: "unknown-job" });
  });
});

describe("a retry policy by reason", () => {
  const retry: RetryPolicy = {
    passes: 2,
    backoffSeconds: 1,
    byReason: { busy: { passes: 4 }, protocol: { passes: 1 } },
  };

  it.each<{ reason: FailureReason; retry: "later" | "never"; passes: number }>([
    { reason: "timeout", retry: "later", passes: 2 },
    { reason: "busy", retry: "later", passes: 4 },
    { reason: "protocol", retry: "later", passes: 1 },
    { reason: "busy", retry: "never", passes: 1 },
  ])("ends $reason ($retry) after $passes", async ({ reason, retry: again, passes }) => {
    const world = engine(meterRows([1], 1));
    const jobId = await submitted(world, { retry });
    for (let made = 1; made <= passes; made++) {
      const [before] = await slicesOf(world, jobId);
      expect(before?.state).not.toBe("closed");
      await pass(world, jobId, () => [reason, again]);
      world.clock.pass(2 * MINUTE);
      await sweepLedger(world.ports);
    }
    const [after] = await slicesOf(world, jobId);
    if (after === undefined) throw new Error("no slice");
    expect([after.state, slotState(after.slots, 0), slotReason(after.slots, 0)]).toEqual(["closed", "failed", reason]);
  });
});

describe("a target that is a stored query", () => {
  it("is what its filter matches when it is planned, by the filter as it was when accepted", async () => {
    const world = engine([...meterRows([1], 3), ["X-1", { segment: 2, slot: 7 }]]);
    const query = { name: "q", filter: { idPrefix: "X-" }, caller: CALLER, createdAt: T0 };
    world.queries.set("q", query);
    const outcome = await submitJob(world.ports, CALLER, { ...READ, target: { kind: "query", query: "q" } });
    if (outcome.kind === "refused") throw new Error(outcome.because);
    world.queries.delete("q");
    const job = await world.ports.ledger.job(outcome.jobId);
    if (job === undefined) throw new Error("no job");
    expect(job.filter).toEqual(query.filter);
    expect(await planJob(world.ports, job)).toMatchObject({ slices: 1, tasks: 1 });
    expect(await submitJob(world.ports, CALLER, { ...READ, target: { kind: "query", query: "q" } })).toMatchObject({
      because: "unknown-query",
    });
  });
});

describe("the lane of a job that names none", () => {
  const HOUR = 3_600_000;
  it.each<{ name: string; target: JobRequest["target"]; about: Partial<Parameters<typeof laneFor>[1]>; lane: string }>([
    { name: "one meter", target: { kind: "meters", meterIds: [] }, about: { single: true }, lane: "interactive" },
    { name: "a group", target: { kind: "group", group: "g" }, about: {}, lane: "bulk" },
    {
      name: "a group within two hours",
      target: { kind: "group", group: "g" },
      about: { deadlineInMs: 2 * HOUR },
      lane: "urgent",
    },
    {
      name: "a group within a day",
      target: { kind: "group", group: "g" },
      about: { deadlineInMs: 24 * HOUR },
      lane: "bulk",
    },
    { name: "all within two hours", target: { kind: "all" }, about: { deadlineInMs: 2 * HOUR }, lane: "bulk" },
    {
      name: "a schedule's group within two hours",
      target: { kind: "group", group: "g" },
      about: { deadlineInMs: 2 * HOUR, scheduled: true },
      lane: "bulk",
    },
    {
      name: "what failed before",
      target: { kind: "tasksOf", jobId: "j".repeat(26) as JobId, states: ["failed"] },
      about: {},
      lane: "urgent",
    },
  ])("$name: $lane", ({ target, about, lane }) => {
    expect(laneFor(target, { single: false, scheduled: false, deadlineInMs: undefined, ...about })).toBe(lane);
  });
});
