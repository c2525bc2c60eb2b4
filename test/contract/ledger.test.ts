import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dynamoLedger } from "../../functions/adapters/dynamo-ledger.ts";
import { Job, JobId } from "../../shared/jobs/job.ts";
import type { Ledger, SliceRange } from "../../shared/jobs/ledger.ts";
import { memoryLedger } from "../../shared/jobs/memory-ledger.ts";
import { partitionsOf } from "../../shared/jobs/partitions.ts";
import type { Slice, SliceKey } from "../../shared/jobs/slice.ts";
import { DUE_SHARDS, dueShard, MINUTE_MS } from "../../shared/jobs/slice-due.ts";
import { noSlots, setSlot, slotReason, slotState } from "../../shared/jobs/slots.ts";
import { calmLedger } from "../simulation/calm-ledger.ts";
import { type EmbeddedDynamo, embeddedDynamo } from "./embedded-dynamo.ts";

const T0 = Date.UTC(2026, 10, 2, 12);
let dynamo: EmbeddedDynamo;
beforeAll(async () => {
  dynamo = await embeddedDynamo();
});
afterAll(() => dynamo.close());

const id = (name: string): JobId => JobId.parse(name.padEnd(26, "0"));
const jobOf = (name: string, change: Partial<Job> = {}): Job =>
  Job.parse({
    jobId: id(name),
    operation: { kind: "readRegisters" },
    target: { kind: "all" },
    lane: "bulk",
    state: "planning",
    createdAt: T0,
    deadline: T0 + 3_600_000,
    retry: { passes: 3, backoffSeconds: 60 },
    caller: { id: "test", roles: ["operator"] },
    ...change,
  });
const sliceOf = (name: string, change: Partial<Slice> = {}): Slice => {
  const slots = noSlots();
  setSlot(slots, 0, "open");
  setSlot(slots, 1023, "open", "timeout");
  return {
    jobId: id(name),
    segment: 7,
    part: 0,
    state: "planned",
    lane: "bulk",
    generation: 1,
    version: 1,
    slots,
    passes: 0,
    uncleanEnds: 0,
    nextAttempt: T0,
    deadline: T0 + 3_600_000,
    ...change,
  };
};
async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of source) found.push(value);
  return found;
}

describe.each<{ name: string; open: () => Ledger }>([
  { name: "in memory", open: memoryLedger },
  { name: "in the simulation", open: () => calmLedger(T0) },
  { name: "on DynamoDB", open: () => dynamoLedger(dynamo.db, "Ledger", () => T0) },
])("the ledger $name", ({ open }) => {
  let ledger: Ledger;
  const due = async (key: SliceKey, at: number, since?: number): Promise<boolean> =>
    (await all(ledger.dueSlices(at, dueShard(key), since))).some(
      (found) => found.jobId === key.jobId && found.segment === key.segment && found.part === key.part,
    );
  beforeAll(() => {
    ledger = open();
  });

  it("creates a job once: a repeated request meets itself", async () => {
    const job = jobOf("once", { reason: "first" });
    expect(await ledger.createJob(job)).toBe("created");
    expect(await ledger.createJob({ ...job, createdAt: T0 + 5, reason: "second" })).toBe("exists");
    expect(await ledger.job(job.jobId)).toEqual(job);
    expect(await ledger.job(id("nowhere"))).toBeUndefined();
  });

  it("moves a job on only from the state that the caller saw", async () => {
    await ledger.createJob(jobOf("moves"));
    expect(await ledger.moveJob(id("moves"), "planning", { state: "planned", slices: 2, tasks: 5 })).toBe("written");
    expect(await ledger.moveJob(id("moves"), "planning", { state: "running" })).toBe("conflict");
    expect(await ledger.job(id("moves"))).toMatchObject({ state: "planned", slices: 2, tasks: 5 });
    expect(await ledger.moveJob(id("nowhere"), "planning", { state: "running" })).toBe("conflict");
    expect(await ledger.job(id("nowhere"))).toBeUndefined();
  });

  it("lists jobs newest first, page by page, each once", async () => {
    for (let index = 0; index < 7; index++)
      await ledger.createJob(jobOf(`page${index}`, { createdAt: T0 + 1000 * (index + 1) }));
    await ledger.createJob(jobOf("page3", { createdAt: T0 + 99_000 })); // asked for again, later
    const seen: string[] = [];
    for (let cursor: string | undefined, page = 0; page === 0 || cursor !== undefined; page++) {
      const answer = await ledger.jobs({ limit: 3, ...(cursor === undefined ? {} : { cursor }) });
      expect(answer.jobs.length).toBeLessThanOrEqual(3);
      seen.push(...answer.jobs.map((job) => job.jobId));
      cursor = answer.cursor;
    }
    expect(seen.slice(0, 7)).toEqual([6, 5, 4, 3, 2, 1, 0].map((index) => id(`page${index}`)));
    expect(new Set(seen).size).toBe(seen.length);
  });

  it("lists the jobs of one caller, and of no other whose name begins so", async () => {
    for (const [name, caller] of [
      ["mdm1", "mdm"],
      ["mdm2", "mdm"],
      ["mdm3", "mdm#2"],
      ["oms1", "oms"],
    ] as const)
      await ledger.createJob(
        jobOf(name, { caller: { id: caller, roles: ["subscriber"] }, createdAt: T0 + name.length }),
      );
    const first = await ledger.jobs({ limit: 1, callerId: "mdm" });
    const rest = await ledger.jobs({ limit: 5, callerId: "mdm", cursor: first.cursor ?? "" });
    expect([...first.jobs, ...rest.jobs].map(({ jobId }) => jobId).sort()).toEqual([id("mdm1"), id("mdm2")]);
    expect((await ledger.jobs({ limit: 5, callerId: "nobody" })).jobs).toEqual([]);
  });

  it("names the jobs that are not closed", async () => {
    await ledger.createJob(jobOf("open"));
    await ledger.createJob(jobOf("shut"));
    await ledger.moveJob(id("shut"), "planning", { state: "closed", closedAt: T0 });
    const live = (await ledger.liveJobs()).map((job) => job.jobId);
    expect(live).toContain(id("open"));
    expect(live).not.toContain(id("shut"));
    await ledger.createJob(jobOf("shut")); // asked for again: still closed
    expect((await ledger.liveJobs()).map((job) => job.jobId)).not.toContain(id("shut"));
    expect((await ledger.liveJobs()).map((job) => job.jobId)).not.toContain(id("shut"));
  });

  it("keeps a slice octet for octet and creates it once", async () => {
    const intent = new Uint8Array(128).fill(3);
    const slice = sliceOf("octets", {
      state: "working",
      lease: { owner: "b1", until: T0 + 60_000 },
      intent,
      effects: new Map([
        [
          9,
          {
            baseline: { resets: "12", lastReset: "1700000000000" },
            before: [
              { m: "demand.active.import.max", v: 2n ** 63n, s: -1, at: T0 },
              { m: "energy.active.import.total", v: -1n, s: 0 },
            ],
            at: T0,
            sent: 2,
          },
        ],
      ]),
      sentAt: 5,
    });
    expect(await ledger.createSlice(slice)).toBe("created");
    expect(await ledger.createSlice(sliceOf("octets"))).toBe("exists");
    const found = await ledger.slice(slice);
    expect(found).toEqual(slice);
    expect(slotState(found?.slots ?? noSlots(), 1023)).toBe("open");
    expect(slotReason(found?.slots ?? noSlots(), 1023)).toBe("timeout");
    expect(await ledger.slice({ ...slice, part: 1 })).toBeUndefined();
  });

  it("lets one of two writers of the same version win", async () => {
    const slice = sliceOf("race");
    await ledger.createSlice(slice);
    const written = await Promise.all(
      ["a", "b"].map((owner) => ledger.writeSlice(slice, { ...slice, state: "working", lease: { owner, until: T0 } })),
    );
    expect(written.sort()).toEqual(["conflict", "written"]);
    expect(await ledger.slice(slice)).toMatchObject({ version: 2, state: "working" });
    expect(await ledger.writeSlice(slice, slice)).toBe("conflict");
    expect(await ledger.writeSlice(sliceOf("absent"), sliceOf("absent"))).toBe("conflict");
    expect(await ledger.slice(sliceOf("absent"))).toBeUndefined();
  });

  it("finds all slices of a job, in every partition and part, and no others", async () => {
    await ledger.createJob(jobOf("many"));
    const places = [0, 1, 63, 64, 65, 9765].flatMap((segment) => [0, 1, 2000].map((part) => ({ segment, part })));
    for (const place of places) await ledger.createSlice(sliceOf("many", place));
    await ledger.createSlice(sliceOf("manyother", { segment: 1 }));
    const found = await all(ledger.slicesOf(id("many")));
    expect(found.map(({ segment, part }) => `${segment}/${part}`).sort()).toEqual(
      places.map(({ segment, part }) => `${segment}/${part}`).sort(),
    );
    await ledger.moveJob(id("many"), "planning", {
      state: "planned",
      partitions: partitionsOf(places.map(({ segment }) => segment)),
    });
    expect((await all(ledger.slicesOf(id("many")))).length).toBe(places.length);
  });

  it("reads slices by partition, segment and part, from any place on, or of some partitions", async () => {
    await ledger.createJob(jobOf("range"));
    const places = ["0/0", "0/1", "64/0", "640/0", "1/0", "1/1000", "129/0", "63/2"];
    for (const place of [...places].reverse()) {
      const [segment = 0, part = 0] = place.split("/").map(Number);
      await ledger.createSlice(sliceOf("range", { segment, part }));
    }
    const read = async (range?: SliceRange): Promise<string[]> =>
      (await all(ledger.slicesOf(id("range"), range))).map(({ segment, part }) => `${segment}/${part}`);
    expect(await read()).toEqual(places);
    expect(await read({ from: { segment: 64, part: 0 } })).toEqual(places.slice(2));
    expect(await read({ from: { segment: 0, part: 2 } })).toEqual(places.slice(2));
    expect(await read({ from: { segment: 2, part: 0 } })).toEqual(["63/2"]);
    expect(await read({ partitions: [1, 63] })).toEqual(places.slice(4));
    expect(await read({ partitions: [0, 1], from: { segment: 1, part: 1 } })).toEqual(["1/1000", "129/0"]);
    expect(await read({ partitions: [] })).toEqual([]);
  });

  it("shows a slice as due from the minute after its instant, until it is written with another", async () => {
    const slice = sliceOf("due", { nextAttempt: T0 + 90_000 });
    await ledger.createSlice(slice);
    expect(await due(slice, T0 + 60_000)).toBe(false);
    expect(await due(slice, T0 + 119_999)).toBe(false);
    expect(await due(slice, T0 + 120_000)).toBe(true);
    expect(await due(slice, T0 + 5 * MINUTE_MS, T0)).toBe(true);
    await ledger.writeSlice(slice, { ...slice, state: "resting", nextAttempt: T0 + 10 * MINUTE_MS });
    expect(await due(slice, T0 + 9 * MINUTE_MS)).toBe(false);
    expect(await due(slice, T0 + 10 * MINUTE_MS)).toBe(true);
    const was = await ledger.slice(slice);
    if (was === undefined) throw new Error("the slice is gone");
    await ledger.writeSlice(was, { ...was, state: "closed" });
    expect(await due(slice, T0 + 14 * MINUTE_MS)).toBe(false);
  });

  it("shows what is overdue already when it is written in the minutes that a sweep looks at", async () => {
    const slice = sliceOf("late", { nextAttempt: 1 });
    await ledger.createSlice(slice);
    expect(await due(slice, T0 + MINUTE_MS, T0 - MINUTE_MS)).toBe(true);
  });

  it("spreads due slices over the shards", () => {
    const shards = new Set(
      Array.from({ length: 1000 }, (_, segment) => dueShard({ jobId: id("s"), segment, part: 0 })),
    );
    expect(shards.size).toBe(DUE_SHARDS);
  });

  it("only raises watermark and sweep mark", async () => {
    expect(await ledger.watermark("urgent")).toBeUndefined();
    for (const at of [T0, T0 + 5, T0 + 3]) await ledger.raiseWatermark("urgent", at);
    expect(await ledger.watermark("urgent")).toBe(T0 + 5);
    expect(await ledger.watermark("images")).toBeUndefined();
    expect(await ledger.watermark("urgent", "anna")).toBeUndefined();
    await ledger.raiseWatermark("urgent", T0 + 9, "anna");
    expect(await ledger.watermark("urgent", "anna")).toBe(T0 + 9);
    expect(await ledger.watermark("urgent")).toBe(T0 + 5);
    expect(await ledger.sweptUntil()).toBeUndefined();
    for (const at of [T0 + 7, T0]) await ledger.raiseSweptUntil(at);
    expect(await ledger.sweptUntil()).toBe(T0 + 7);
  });

  it("overwrites progress", async () => {
    const progress = { asOf: T0, open: 1, done: 2, failed: 3, expired: 4, cancelled: 5, reasons: { timeout: 3 } };
    await ledger.writeProgress(id("prog"), { ...progress, open: 9, reasons: { auth: 1, "open:timeout": 2 } });
    await ledger.writeProgress(id("prog"), progress);
    expect(await ledger.progress(id("prog"))).toEqual(progress);
    expect(await ledger.progress(id("none"))).toBeUndefined();
  });
});
