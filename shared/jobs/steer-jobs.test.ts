import { describe, expect, it } from "vitest";
import type { FailureReason } from "../metering/failure.ts";
import { cancelJob } from "./cancel-job.ts";
import { cloneJob } from "./clone-job.ts";
import { CALLER, engine, meterRows, T0 } from "./engine-fixture.ts";
import type { JobId, RetryPolicy } from "./job.ts";
import { laneFor } from "./lane-rule.ts";
import { pauseJob, resumeJob } from "./pause-job.ts";
import { planJob } from "./plan-job.ts";
import { advance } from "./slice-machine.ts";
import { slotReason, slotState } from "./slots.ts";
import { ANNA, MINUTE, pass, READ, slicesOf, stateOf, submitted, type World } from "./steer-fixture.ts";
import { type JobRequest, submitJob } from "./submit-job.ts";
import { sweepLedger } from "./sweep.ts";

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
    await sweepLedger(world.ports);
    expect(await stateOf(world, jobId)).toBe("paused"); // without a slice yet, it is not over
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
    const filter = { idPrefix: "X-" };
    world.queries.set("q", filter);
    const outcome = await submitJob(world.ports, CALLER, { ...READ, target: { kind: "query", query: "q" } });
    if (outcome.kind === "refused") throw new Error(outcome.because);
    world.queries.delete("q");
    const job = await world.ports.ledger.job(outcome.jobId);
    if (job === undefined) throw new Error("no job");
    expect(job.filter).toEqual(filter);
    expect(await planJob(world.ports, job)).toMatchObject({ slices: 1, tasks: 1 });
    expect(await submitJob(world.ports, CALLER, { ...READ, target: { kind: "query", query: "q" } })).toMatchObject({
      because: "unknown-query",
    });
  });
});

describe("the lane of a job that names none", () => {
  const HOUR = 3_600_000;
  it.each<{ name: string; target: JobRequest["target"]; about: Partial<Parameters<typeof laneFor>[2]>; lane: string }>([
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
    expect(
      laneFor("readRegisters", target, { single: false, scheduled: false, deadlineInMs: undefined, ...about }),
    ).toBe(lane);
  });
});
