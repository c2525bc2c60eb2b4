import { describe, expect, it } from "vitest";
import { batchObject, batchReference } from "../jobs/batches.ts";
import { collected } from "../jobs/concurrency.ts";
import { CALLER, engine, meterRows, T0 } from "../jobs/engine-fixture.ts";
import { memoryBatches } from "../jobs/memory-batches.ts";
import { encodeMessage, type ResultBatch, ResultMessage, type TaskReport } from "../jobs/messages.ts";
import { planJob } from "../jobs/plan-job.ts";
import { advance } from "../jobs/slice-machine.ts";
import { slotReason, slotState } from "../jobs/slots.ts";
import { submitJob } from "../jobs/submit-job.ts";
import { MeterId } from "../metering/meter.ts";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { ingestBatch } from "./ingest-batch.ts";
import { memoryDayBlocks } from "./memory-day-blocks.ts";
import { readReadings } from "./read-readings.ts";

const SEGMENT = 3;
const reportOf = (slot: number, value = 100n, change: Partial<TaskReport> = {}): TaskReport => ({
  slot,
  meterId: MeterId.parse(`M-${slot}`),
  attempt: 1,
  at: T0,
  outcome: { kind: "done" },
  registers: [{ m: "energy.active.import.total", v: value, s: 0 }],
  intervals: [
    {
      set: "load",
      period: 900,
      channels: [{ m: "energy.active.import.total", s: 0 }],
      ends: [T0 - 900_000, T0],
      values: [[value - 1n, value]],
      status: [0, 0],
    },
  ],
  ...change,
});

async function world(meters = 4) {
  const base = engine(meterRows([SEGMENT], meters));
  const steps: string[] = [];
  const stored = memoryDayBlocks();
  const objects = memoryBatches(nodeCrypto);
  const ports = {
    ...base.ports,
    ledger: {
      ...base.ports.ledger,
      writeSlice: (...given: Parameters<typeof base.ports.ledger.writeSlice>) => {
        steps.push("outcomes");
        return base.ports.ledger.writeSlice(...given);
      },
    },
    blocks: {
      ...stored,
      write: (...given: Parameters<typeof stored.write>) => {
        steps.push("readings");
        return stored.write(...given);
      },
    },
    batches: {
      ...objects,
      putText: (...given: Parameters<typeof objects.putText>) => {
        steps.push("evidence");
        return objects.putText(...given);
      },
    },
  };
  const outcome = await submitJob(base.ports, CALLER, {
    operation: { kind: "readRegisters" },
    target: { kind: "all" },
  });
  const job = outcome.kind === "accepted" ? await base.ports.ledger.job(outcome.jobId) : undefined;
  if (job === undefined) throw new Error("no job");
  await planJob(base.ports, job);
  const [queued] = await collected(base.ports.ledger.slicesOf(job.jobId));
  if (queued === undefined) throw new Error("no slice");
  const taken = advance(queued, { input: "taken", generation: 1, owner: "b1", now: base.clock.now() });
  if (taken.kind === "next") await base.ports.ledger.writeSlice(queued, taken.slice);
  const slice = async () => {
    const [found] = await collected(base.ports.ledger.slicesOf(job.jobId));
    if (found === undefined) throw new Error("no slice");
    return found;
  };
  const batchOf = (tasks: readonly TaskReport[], change: Partial<ResultBatch> = {}): ResultBatch => ({
    v: 1,
    batch: "b1-1",
    bridge: "b1",
    lane: "bulk",
    job: job.jobId,
    segment: SEGMENT,
    part: 0,
    generation: 1,
    sentAt: T0,
    tasks: [...tasks],
    passOver: false,
    ...change,
  });
  const readings = (slot: number) =>
    readReadings({ blocks: stored }, { segment: SEGMENT, slot }, T0 - 86_400_000, T0 + 1);
  return { ...base, ports, steps, job, slice, batchOf, readings, objects };
}
const bodyOf = (batch: ResultBatch): string => encodeMessage(ResultMessage, batch);

describe("a batch of results", () => {
  it("is kept as evidence, then stored as readings, then counted: in this order", async () => {
    const { ports, steps, batchOf, slice, readings, objects } = await world();
    const batch = batchOf([reportOf(0), reportOf(1)]);
    steps.length = 0;
    const facts = await ingestBatch(ports, bodyOf(batch));
    expect(steps[0]).toBe("evidence");
    expect(steps.lastIndexOf("readings")).toBeLessThan(steps.indexOf("outcomes"));
    expect(steps.indexOf("readings")).toBeGreaterThan(0);
    expect(facts).toMatchObject({ reports: 2, bad: [], readings: { added: 6 }, outcomes: { ended: 2, closed: 0 } });
    expect(slotState((await slice()).slots, 1)).toBe("done");
    const { registers, intervals } = await readings(1);
    expect(registers).toMatchObject([{ value: 100n }]);
    expect(intervals[0]?.entries.map(({ values }) => values)).toEqual([[99n], [100n]]);
    const evidence = await objects.get(batchObject(registers[0]?.batch ?? ""));
    expect(JSON.parse(evidence ?? "null")).toEqual(JSON.parse(bodyOf(batch)));
  });

  it("that cannot be stored counts nothing, and is counted when it comes again", async () => {
    const { ports, batchOf, slice, readings } = await world();
    const body = bodyOf(batchOf([reportOf(0)]));
    const full = { ...ports.blocks, write: async () => Promise.reject(new Error("throttled")) };
    await expect(ingestBatch({ ...ports, blocks: full }, body)).rejects.toThrow("throttled");
    expect(slotState((await slice()).slots, 0)).toBe("open");
    await ingestBatch(ports, body);
    expect(slotState((await slice()).slots, 0)).toBe("done");
    expect((await readings(0)).registers.length).toBe(1);
  });

  it("whose outcome cannot be counted is stored, and neither is lost when it comes again", async () => {
    const { ports, batchOf, slice, readings } = await world();
    const body = bodyOf(batchOf([reportOf(0)]));
    const away = { ...ports.ledger, writeSlice: async () => Promise.reject(new Error("throttled")) };
    await expect(ingestBatch({ ...ports, ledger: away }, body)).rejects.toThrow("throttled");
    expect((await readings(0)).registers.length).toBe(1);
    expect(await ingestBatch(ports, body)).toMatchObject({ readings: { added: 0 }, outcomes: { ended: 1 } });
    expect(slotState((await slice()).slots, 0)).toBe("done");
  });

  it("delivered again changes nothing", async () => {
    const { ports, batchOf, slice, readings } = await world();
    const body = bodyOf(batchOf([reportOf(0), reportOf(1)]));
    await ingestBatch(ports, body);
    const before = [await slice(), await readings(0), await readings(1)];
    const facts = await ingestBatch(ports, body);
    expect(facts).toMatchObject({
      readings: { added: 0, corrected: 0, written: 0 },
      outcomes: { ended: 0, duplicate: 2, late: 0 },
    });
    expect([await slice(), await readings(0), await readings(1)]).toEqual(before);
  });

  it("with one meter's bad content loses nothing but that: its task ends failed(protocol), its raw report is kept", async () => {
    const { ports, batchOf, slice, readings, objects } = await world();
    const batch = batchOf([reportOf(0), reportOf(1), reportOf(2)]);
    const content = JSON.parse(bodyOf(batch)) as {
      tasks: { registers: { v: string }[]; intervals: { ends: number[] }[] }[];
    };
    const [, malformed, contradictory] = content.tasks;
    if (malformed?.registers[0] !== undefined) malformed.registers[0].v = "twelve";
    contradictory?.intervals[0]?.ends.push(T0 + 900_000);
    const facts = await ingestBatch(ports, JSON.stringify(content));
    expect(facts.bad.map(({ slot }) => slot)).toEqual([1, 2]);
    const { slots } = await slice();
    expect([0, 1, 2, 3].map((slot) => [slotState(slots, slot), slotReason(slots, slot)])).toEqual([
      ["done", "none"],
      ["failed", "protocol"],
      ["failed", "protocol"],
      ["open", "none"],
    ]);
    expect((await readings(0)).registers.length).toBe(1);
    expect((await readings(1)).registers).toEqual([]);
    expect(await objects.get(batchObject(batchReference(nodeCrypto, batch)))).toContain('"twelve"');
  });

  it("that is over 200 kB is fetched by its key, and not written again", async () => {
    const { ports, steps, batchOf, slice, objects } = await world();
    const object = await objects.put(batchOf([reportOf(0)]));
    steps.length = 0;
    await ingestBatch(ports, encodeMessage(ResultMessage, { v: 1, object }));
    expect(steps).not.toContain("evidence");
    expect(slotState((await slice()).slots, 0)).toBe("done");
    await expect(
      ingestBatch(ports, encodeMessage(ResultMessage, { v: 1, object: "batches/00/none.json" })),
    ).rejects.toMatchObject({ code: "results.object-missing", retry: "never" });
  });

  it("whose envelope cannot be read is poison", async () => {
    const { ports } = await world();
    await expect(ingestBatch(ports, "not json")).rejects.toThrow(SyntaxError);
    await expect(ingestBatch(ports, '{"v":1,"job":"x"}')).rejects.toThrow(/expected|Invalid/);
  });

  it("of failures alone needs no evidence", async () => {
    const { ports, steps, batchOf } = await world();
    const { registers: _registers, intervals: _intervals, ...bare } = reportOf(0);
    steps.length = 0;
    await ingestBatch(
      ports,
      bodyOf(
        batchOf([{ ...bare, outcome: { kind: "failed", reason: "timeout", code: "link.timeout", retry: "later" } }]),
      ),
    );
    expect(steps).toEqual(["outcomes"]);
  });

  it("that brings the last outcome and the end of the pass closes slice and job", async () => {
    const { ports, batchOf, slice, job } = await world(2);
    await ingestBatch(ports, bodyOf(batchOf([reportOf(0), reportOf(1)], { passOver: true })));
    expect((await slice()).state).toBe("closed");
    expect(await ports.ledger.job(job.jobId)).toMatchObject({ state: "closed" });
    expect(await ports.ledger.progress(job.jobId)).toMatchObject({ done: 2, open: 0 });
  });

  it("may come in any order: the end of the pass first, the outcomes after it", async () => {
    const { ports, batchOf, slice, job } = await world(2);
    await ingestBatch(ports, bodyOf(batchOf([reportOf(1)], { batch: "b1-2", passOver: true })));
    expect((await slice()).state).toBe("resting");
    await ingestBatch(ports, bodyOf(batchOf([reportOf(0)], { batch: "b1-1" })));
    expect((await slice()).state).toBe("closed");
    expect(await ports.ledger.job(job.jobId)).toMatchObject({ state: "closed" });
  });

  it("of a generation that is over keeps its readings, and its outcomes where the slot is still open", async () => {
    const { ports, clock, batchOf, slice, readings } = await world(2);
    clock.pass(61_000);
    const was = await slice();
    const step = advance(was, { input: "swept", now: clock.now(), watermark: undefined });
    if (step.kind === "next") await ports.ledger.writeSlice(was, step.slice);
    await ingestBatch(ports, bodyOf(batchOf([reportOf(0)], { passOver: true })));
    expect(await slice()).toMatchObject({ state: "planned", generation: 2, passes: 0 });
    expect(slotState((await slice()).slots, 0)).toBe("done");
    expect((await readings(0)).registers.length).toBe(1);
  });

  it("of many at once on one slice loses no outcome", async () => {
    const { ports, batchOf, slice } = await world(40);
    await Promise.all(
      Array.from({ length: 10 }, (_, piece) =>
        ingestBatch(
          ports,
          bodyOf(
            batchOf(
              Array.from({ length: 4 }, (_, index) => reportOf(piece * 4 + index)),
              { batch: `b1-${piece}` },
            ),
          ),
        ),
      ),
    );
    expect((await slice()).state).toBe("closed");
  });

  it("of a job that nobody knows is stored, and counted nowhere", async () => {
    const { ports, batchOf, readings } = await world();
    const facts = await ingestBatch(
      ports,
      bodyOf({ ...batchOf([reportOf(0)]), job: "z".repeat(26) as ResultBatch["job"] }),
    );
    expect(facts.outcomes).toMatchObject({ ended: 0, late: 1 });
    expect((await readings(0)).registers.length).toBe(1);
  });
});
