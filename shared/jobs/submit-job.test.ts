import { describe, expect, it } from "vitest";
import type { MeterId } from "../metering/meter.ts";
import { collected } from "./concurrency.ts";
import { CALLER, engine, meterRows, T0 } from "./engine-fixture.ts";
import { planJob } from "./plan-job.ts";
import { type JobRequest, submitJob } from "./submit-job.ts";

const meterIds = (...ids: string[]) => ({ kind: "meters" as const, meterIds: ids as MeterId[] });
const READ: JobRequest = { operation: { kind: "readRegisters" }, target: { kind: "all" } };

describe("a job of one meter", () => {
  it("is planned and sent at once, interactive, with ten minutes", async () => {
    const { ports, sent, started } = engine(meterRows([5], 3));
    const outcome = await submitJob(ports, CALLER, { ...READ, target: meterIds("M-1") });
    if (outcome.kind !== "accepted") throw new Error(outcome.because);
    expect(outcome.state).toBe("running");
    expect(started).toEqual([]);
    expect(sent).toEqual([
      { v: 1, job: outcome.jobId, segment: 5, part: 0, generation: 1, share: "anna", lane: "interactive" },
    ]);
    expect(await ports.ledger.job(outcome.jobId)).toMatchObject({
      state: "running",
      lane: "interactive",
      slices: 1,
      tasks: 1,
      deadline: T0 + 600_000,
      retry: { passes: 3, backoffSeconds: 60 },
    });
    const [slice] = await collected(ports.ledger.slicesOf(outcome.jobId));
    expect(slice).toMatchObject({ state: "queued", sentAt: T0, deadline: T0 + 600_000 });
  });
});

describe("a job of many meters", () => {
  it("is left to the planner, bulk, with a day", async () => {
    const { ports, sent, started } = engine(meterRows([1, 2], 2));
    const outcome = await submitJob(ports, CALLER, READ);
    if (outcome.kind !== "accepted") throw new Error(outcome.because);
    expect(started).toEqual([outcome.jobId]);
    expect(sent).toEqual([]);
    expect(await ports.ledger.job(outcome.jobId)).toMatchObject({
      state: "planning",
      lane: "bulk",
      deadline: T0 + 86_400_000,
    });
  });

  it("that names meters rejects those that are not enrolled, and reads the others", async () => {
    const { ports, sent } = engine(meterRows([1], 2));
    const outcome = await submitJob(ports, CALLER, { ...READ, target: meterIds("M-0", "M-1", "nobody", "M-0") });
    if (outcome.kind !== "accepted") throw new Error(outcome.because);
    const job = await ports.ledger.job(outcome.jobId);
    if (job === undefined) throw new Error("no job");
    expect(await planJob(ports, job)).toMatchObject({
      state: "running",
      slices: 1,
      tasks: 2,
      rejected: [{ meterId: "nobody", reason: "unknown or not enrolled" }],
    });
    expect(sent.length).toBe(1);
  });
});

describe("a repeated request", () => {
  it("meets its job: same caller, same key", async () => {
    const { ports, started } = engine(meterRows([1], 2));
    const request = { ...READ, idempotencyKey: "k1" };
    const first = await submitJob(ports, CALLER, request);
    const again = await submitJob(ports, CALLER, request);
    const other = await submitJob(ports, { ...CALLER, id: "berta" }, request);
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    expect(new Set(started).size).toBe(2);
    expect((await ports.ledger.jobs({ limit: 10 })).jobs.length).toBe(2);
  });

  it("that asks something else under the same key is refused", async () => {
    const { ports } = engine(meterRows([1], 2));
    await submitJob(ports, CALLER, { ...READ, idempotencyKey: "k1" });
    expect(
      await submitJob(ports, CALLER, { ...READ, operation: { kind: "ping", depth: "meter" }, idempotencyKey: "k1" }),
    ).toMatchObject({ kind: "refused", because: "idempotency-conflict" });
  });

  it("without a key is another job", async () => {
    const { ports } = engine(meterRows([1], 2));
    await submitJob(ports, CALLER, READ);
    await submitJob(ports, CALLER, READ);
    expect((await ports.ledger.jobs({ limit: 10 })).jobs.length).toBe(2);
  });

  it("finishes what the first left half-way", async () => {
    const { ports, sent, failing } = engine(meterRows([1], 2));
    const request = { ...READ, target: meterIds("M-1"), idempotencyKey: "k1" };
    failing.createSlice = 1;
    await expect(submitJob(ports, CALLER, request)).rejects.toThrow("createSlice fails");
    expect(await submitJob(ports, CALLER, request)).toMatchObject({ kind: "accepted", state: "running" });
    expect(sent.length).toBe(1);
  });
});

describe("a job is refused", () => {
  it.each<{ name: string; request: Partial<JobRequest>; because: string; field: string }>([
    {
      name: "for an unknown meter",
      request: { target: meterIds("nobody") },
      because: "unknown-meter",
      field: "target.meterIds",
    },
    {
      name: "for a group without meters",
      request: { target: { kind: "group", group: "empty" } },
      because: "unknown-target",
      field: "target",
    },
    {
      name: "with a deadline that has passed",
      request: { deadline: T0 },
      because: "deadline-passed",
      field: "deadline",
    },
    {
      name: "as a read in the lane of orders",
      request: { lane: "commands" },
      because: "lane-not-allowed",
      field: "lane",
    },
    {
      name: "with many meters in the interactive lane",
      request: { lane: "interactive" },
      because: "lane-not-allowed",
      field: "lane",
    },
  ])("$name, and nothing is written", async ({ request, because, field }) => {
    const { ports, sent, started } = engine(meterRows([1], 2));
    expect(await submitJob(ports, CALLER, { ...READ, ...request })).toMatchObject({ kind: "refused", because, field });
    expect((await ports.ledger.jobs({ limit: 10 })).jobs).toEqual([]);
    expect([...sent, ...started]).toEqual([]);
  });
});

describe("the planner", () => {
  it("makes a slice a segment, each meter open in its own slot, and sends them all", async () => {
    const { ports, sent } = engine(meterRows([0, 63, 64, 9765], 40));
    const outcome = await submitJob(ports, CALLER, READ);
    const job = outcome.kind === "accepted" ? await ports.ledger.job(outcome.jobId) : undefined;
    if (job === undefined) throw new Error("no job");
    expect(await planJob(ports, job)).toMatchObject({ state: "running", slices: 4, tasks: 160 });
    expect(sent.map(({ segment }) => segment).sort((left, right) => left - right)).toEqual([0, 63, 64, 9765]);
    expect((await collected(ports.ledger.slicesOf(job.jobId))).map(({ state }) => state)).toEqual(
      new Array(4).fill("queued"),
    );
  });

  it("goes on from wherever it stopped, and what is enrolled meanwhile does not change what is frozen", async () => {
    for (let stop = 1; stop <= 4; stop++) {
      const { ports, sent, failing, places } = engine(meterRows([1, 2, 3], 2));
      const outcome = await submitJob(ports, CALLER, READ);
      const job = outcome.kind === "accepted" ? await ports.ledger.job(outcome.jobId) : undefined;
      if (job === undefined) throw new Error("no job");
      if (stop <= 3) failing.createSlice = stop;
      else failing.send = 1;
      await expect(planJob(ports, job)).rejects.toThrow("fails");
      places.set("M-new" as MeterId, { segment: 1, slot: 900 });
      const there = await ports.ledger.job(job.jobId);
      if (there === undefined) throw new Error("no job");
      const after = await planJob(ports, there);
      const slices = await collected(ports.ledger.slicesOf(job.jobId));
      expect(after).toMatchObject({ state: "running", slices: 3 });
      expect(slices.length).toBe(3);
      // Not sent here is sent by the sweep, a minute later.
      for (const { segment, state } of slices)
        expect(state === "planned" || sent.some((item) => item.segment === segment)).toBe(true);
    }
  });

  it("run twice at once makes one set of slices", async () => {
    const { ports } = engine(meterRows([1, 2, 3], 2));
    const outcome = await submitJob(ports, CALLER, READ);
    const job = outcome.kind === "accepted" ? await ports.ledger.job(outcome.jobId) : undefined;
    if (job === undefined) throw new Error("no job");
    await Promise.all([planJob(ports, job), planJob(ports, job)]);
    expect(await ports.ledger.job(job.jobId)).toMatchObject({ state: "running", slices: 3, tasks: 6 });
    expect((await collected(ports.ledger.slicesOf(job.jobId))).length).toBe(3);
  });

  it("closes a job whose target has nobody left", async () => {
    const { ports, places } = engine(meterRows([1], 2));
    const outcome = await submitJob(ports, CALLER, READ);
    const job = outcome.kind === "accepted" ? await ports.ledger.job(outcome.jobId) : undefined;
    if (job === undefined) throw new Error("no job");
    places.clear();
    expect(await planJob(ports, job)).toMatchObject({ state: "closed", slices: 0, tasks: 0 });
  });
});
