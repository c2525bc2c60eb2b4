import { describe, expect, it } from "vitest";
import type { Operation } from "../metering/operation.ts";
import { collected } from "./concurrency.ts";
import { CALLER, engine, meterRows, T0 } from "./engine-fixture.ts";
import { GROUP_PART, GROUP_SEGMENT, SETTLE_MS } from "./group-request.ts";
import { GroupRoute } from "./group-route.ts";
import type { Job } from "./job.ts";
import { planJob } from "./plan-job.ts";
import { tallyOf } from "./progress.ts";
import { recordOutcomes } from "./record-outcomes.ts";
import { MINUTE_MS } from "./slice-due.ts";
import { advance, SEND_WAIT_MS } from "./slice-machine.ts";
import { slotsIn } from "./slots.ts";
import { type JobRequest, submitJob } from "./submit-job.ts";
import { sweepLedger } from "./sweep.ts";
import { tasksOf } from "./tasks.ts";
import { endedTasks } from "./tasks-of.ts";

const WINDOW_MS = 300_000;
const POINTS = 3;
const ROUTE = GroupRoute.parse({
  name: "north",
  title: ".0.7",
  members: { kind: "all" },
  profile: { name: "generic-us", version: 1 },
  windowSeconds: WINDOW_MS / 1000,
  points: Array.from({ length: POINTS }, (_, at) => ({ kind: "multicast", address: "239.1.2.3", port: 1153 + at })),
  keyId: 2,
  version: 4,
});
const READ: JobRequest = { operation: { kind: "readRegisters" }, target: { kind: "groupRoute", route: "north" } };

async function planned(request: Partial<JobRequest> = {}, segments = [0, 65]) {
  const world = engine(meterRows(segments, 3));
  world.groupRoutes.set("north", ROUTE);
  const outcome = await submitJob(world.ports, CALLER, { ...READ, ...request });
  if (outcome.kind !== "accepted") throw new Error(JSON.stringify(outcome));
  const accepted = (await world.ports.ledger.job(outcome.jobId)) as Job;
  const job = await planJob(world.ports, accepted);
  const slices = () => collected(world.ports.ledger.slicesOf(job.jobId));
  const key = { jobId: job.jobId, segment: GROUP_SEGMENT, part: GROUP_PART };
  const retry = { passes: 3, backoffSeconds: 60 };
  return { ...world, accepted, job, slices, key, retry };
}

describe("a job by a group route", () => {
  it("is one slice of fan-out points that is sent, and slices of meters that wait for the end of the window", async () => {
    const { job, slices, sent } = await planned();
    expect(job).toMatchObject({ state: "running", slices: 3, tasks: 6, partitions: "0000000000000003" });
    expect(sent.map(({ segment, part }) => [segment, part])).toEqual([[GROUP_SEGMENT, GROUP_PART]]);
    const [meters, points, others] = await slices();
    expect(points).toMatchObject({ part: GROUP_PART, state: "queued", deadline: T0 + WINDOW_MS });
    expect(slotsIn(points?.slots as Uint8Array, "open")).toEqual([0, 1, 2]);
    for (const slice of [meters, others])
      expect(slice).toMatchObject({ part: 0, state: "planned", nextAttempt: T0 + WINDOW_MS + SETTLE_MS });
  });

  it("keeps what the route was when the job was accepted", async () => {
    const { groupRoutes, ports, accepted } = await planned();
    groupRoutes.set("north", { ...ROUTE, points: ROUTE.points.slice(0, 1), version: 5 });
    expect(accepted.groupRoute).toEqual({
      name: "north",
      version: 4,
      members: { kind: "all" },
      windowSeconds: 300,
      points: POINTS,
    });
    expect((await planJob(ports, accepted)).groupRoute?.points).toBe(POINTS);
  });

  it("has no slice for ways in of their own: an answer names its meter, not its part", async () => {
    const { ports, groupRoutes } = engine(meterRows([1], 3));
    groupRoutes.set("north", ROUTE);
    const bitmap = new Uint8Array(128).fill(1, 0, 1);
    async function* otherWays() {
      yield { segment: 1, bitmap, wayIn: "collector:c" };
    }
    const withWays = { ...ports, targets: { ...ports.targets, otherWays } };
    const outcome = await submitJob(withWays, CALLER, READ);
    const job = outcome.kind === "accepted" ? await ports.ledger.job(outcome.jobId) : undefined;
    if (job === undefined) throw new Error("no job");
    await planJob(withWays, job);
    const slices = await collected(ports.ledger.slicesOf(job.jobId));
    expect(slices.map(({ segment, part }) => [segment, part])).toEqual([
      [0, GROUP_PART],
      [1, 0],
    ]);
  });

  it("is finished by a planner that goes on where another one stopped, with one slice of fan-out points", async () => {
    const world = engine(meterRows([0, 65], 3));
    world.groupRoutes.set("north", ROUTE);
    const outcome = await submitJob(world.ports, CALLER, READ);
    const job = outcome.kind === "accepted" ? await world.ports.ledger.job(outcome.jobId) : undefined;
    if (job === undefined) throw new Error("no job");
    world.failing.createSlice = 2;
    await expect(planJob(world.ports, job)).rejects.toThrow("createSlice fails");
    expect(await planJob(world.ports, job)).toMatchObject({ state: "running", slices: 3, tasks: 6 });
    expect(world.sent.length).toBe(1);
  });

  it("starts its window with the job's own start, and lets the polls spread after it", async () => {
    const notBefore = T0 + 3_600_000;
    const { slices, sent, accepted } = await planned({ notBefore, spreadSeconds: 600 });
    expect(sent).toEqual([]);
    const [, points] = await slices();
    expect(points).toMatchObject({ nextAttempt: notBefore, deadline: notBefore + WINDOW_MS });
    for (const { part, nextAttempt = 0 } of await slices()) {
      if (part === GROUP_PART) continue;
      expect(nextAttempt).toBeGreaterThanOrEqual(notBefore + WINDOW_MS + SETTLE_MS);
      expect(nextAttempt).toBeLessThan(notBefore + WINDOW_MS + SETTLE_MS + 600_000);
    }
    expect(accepted.deadline).toBe(notBefore + WINDOW_MS + SETTLE_MS + 600_000 + 86_400_000);
  });

  it("polls the silent after the window, and closes when the last of them has ended", async () => {
    const { ports, clock, job, key, retry, sent, slices } = await planned({}, [65]);
    const done = { kind: "done" } as const;
    const all = [0, 1, 2].map((slot) => ({ slot, outcome: done }));
    await recordOutcomes(ports, key, { generation: 1, passOver: true }, all, retry);
    const meters = { jobId: job.jobId, segment: 65, part: 0 };
    await recordOutcomes(ports, meters, { generation: 1, passOver: false }, all.slice(0, 2), retry);
    clock.pass(WINDOW_MS);
    await sweepLedger(ports);
    expect(sent.length).toBe(1);
    clock.pass(MINUTE_MS); // the sweep sees what is due before its minute
    await sweepLedger(ports);
    expect(sent.slice(1).map(({ segment, generation }) => [segment, generation])).toEqual([[65, 1]]);
    const [, polled] = await slices();
    expect(slotsIn(polled?.slots as Uint8Array, "open")).toEqual([2]);
    await recordOutcomes(ports, meters, { generation: 1, passOver: false }, all, retry);
    await sweepLedger(ports);
    expect(await ports.ledger.job(job.jobId)).toMatchObject({ state: "closed" });
  });

  it("counts meters only: fan-out points are no tasks of it, whatever becomes of them", async () => {
    const { ports, job, key, retry } = await planned();
    const failed = { kind: "failed", reason: "unreachable", code: "link.unreachable", retry: "never" } as const;
    await recordOutcomes(ports, key, { generation: 1, passOver: true }, [{ slot: 0, outcome: failed }], retry);
    expect(await tallyOf(ports.ledger.slicesOf(job.jobId), T0)).toMatchObject({
      tasks: 6,
      slices: 3,
      closed: false,
      progress: { open: 6, failed: 0, reasons: {} },
    });
    expect((await tasksOf(ports.ledger, job, { limit: 100 }))?.tasks.length).toBe(6);
    const target = { kind: "tasksOf", jobId: job.jobId, states: ["failed"] } as const;
    expect(await collected(endedTasks(ports.ledger, { ...target, states: ["failed"] }))).toEqual([]);
  });

  it("sends nothing to a fan-out point after the window", async () => {
    const { ports, clock, key, sent, slices } = await planned();
    clock.pass(WINDOW_MS + SEND_WAIT_MS);
    await sweepLedger(ports);
    expect((await ports.ledger.slice(key))?.state).toBe("closed");
    expect(sent.slice(1).every(({ part }) => part === 0)).toBe(true);
    expect((await slices()).filter(({ state }) => state === "queued").length).toBe(2);
  });

  it("never makes slices of one of fan-out points: those would be meters' slices", async () => {
    const { ports, key } = await planned();
    const slice = await ports.ledger.slice(key);
    if (slice === undefined) throw new Error("no slice");
    const lapsed = { ...slice, state: "working" as const, uncleanEnds: 2, lease: { owner: "b", until: T0 } };
    const step = advance(lapsed, { input: "swept", now: T0 + 1, watermark: undefined });
    expect(step).toMatchObject({ kind: "next", slice: { state: "closed" } });
    if (step.kind === "next") expect(step.effect).toBeUndefined();
  });
});

describe("a job by a group route is refused", () => {
  const refusal = async (request: Partial<JobRequest>) => {
    const { ports, groupRoutes } = engine(meterRows([0], 3));
    groupRoutes.set("north", ROUTE);
    return submitJob(ports, CALLER, { ...READ, ...request });
  };
  const reason = "somebody wants it";

  it.each<{ name: string; operation: Operation }>([
    { name: "a switch order", operation: { kind: "operateSwitch", to: "open" } },
    { name: "a demand reset", operation: { kind: "resetDemand" } },
    { name: "a read of the switch", operation: { kind: "readSwitch" } },
    { name: "a ping", operation: { kind: "ping", depth: "meter" } },
  ])("that is $name: a group's key does not authorise it", async ({ operation }) => {
    expect(await refusal({ operation, reason })).toMatchObject({
      kind: "refused",
      because: "not-for-groups",
      field: "operation.kind",
      received: operation.kind,
    });
  });

  it.each([
    [{ target: { kind: "groupRoute", route: "nowhere" } as const }, "unknown-route", "target.route"],
    [{ deadline: T0 + WINDOW_MS }, "deadline-passed", "deadline"],
    [{ lane: "interactive" as const }, "lane-not-allowed", "lane"],
    [{ after: { jobId: "j".repeat(26) as never, on: "closed" as const } }, "not-for-groups", "after"],
  ])("for %o", async (request, because, field) => {
    expect(await refusal(request)).toMatchObject({ kind: "refused", because, field });
  });

  it("is not refused for reads and for the time", async () => {
    for (const operation of [{ kind: "readRegisters" }, { kind: "setClock" }] as const)
      expect(await refusal({ operation, reason })).toMatchObject({ kind: "accepted" });
  });
});
