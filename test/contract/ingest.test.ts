import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dynamoDayBlocks } from "../../functions/adapters/dynamo-day-blocks.ts";
import { dynamoLedger } from "../../functions/adapters/dynamo-ledger.ts";
import { s3Batches } from "../../functions/adapters/s3-batches.ts";
import { systemClock } from "../../functions/adapters/system-clock.ts";
import { systemRandom } from "../../functions/adapters/system-random.ts";
import { collected } from "../../shared/jobs/concurrency.ts";
import { CALLER, engine, meterRows } from "../../shared/jobs/engine-fixture.ts";
import { encodeMessage, ResultBatch, type TaskReport } from "../../shared/jobs/messages.ts";
import { planJob } from "../../shared/jobs/plan-job.ts";
import { advance } from "../../shared/jobs/slice-machine.ts";
import { submitJob } from "../../shared/jobs/submit-job.ts";
import { sweepLedger } from "../../shared/jobs/sweep.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { ingestBatch } from "../../shared/readings/ingest-batch.ts";
import { readReadings } from "../../shared/readings/read-readings.ts";
import { type EmbeddedDynamo, embeddedDynamo } from "./embedded-dynamo.ts";
import { type EmbeddedSqs, embeddedSqs } from "./embedded-sqs.ts";

const METERS = 1000;
const INTERVALS = 96;
const PERIOD_MS = 900_000;
let dynamo: EmbeddedDynamo;
let storage: EmbeddedSqs;
beforeAll(async () => {
  dynamo = await embeddedDynamo();
  storage = await embeddedSqs();
  await storage.bucket("evidence");
});
afterAll(async () => {
  await dynamo.close();
  await storage.close();
});

/** A day of two channels that ends in the middle of a UTC day, and the totals. */
function reportOf(slot: number, to: number): TaskReport {
  const ends = Array.from({ length: INTERVALS }, (_, index) => to - (INTERVALS - 1 - index) * PERIOD_MS);
  const column = (base: bigint) => ends.map((_, index) => base + BigInt(index * 217 + ((index * slot) % 97)));
  return {
    slot,
    meterId: MeterId.parse(`M-${slot}`),
    attempt: 1,
    at: to + 60_000,
    outcome: { kind: "done" },
    registers: [
      { m: "energy.active.import.total", v: 9_000_000n + BigInt(slot), s: 0 },
      { m: "energy.active.export.total", v: 90_000n, s: 0 },
    ],
    intervals: [
      {
        set: "load",
        period: 900,
        channels: [
          { m: "energy.active.import.total", s: 0 },
          { m: "energy.active.export.total", s: 0 },
        ],
        ends,
        values: [column(8_000_000n), column(80_000n)],
        status: ends.map(() => 0),
      },
    ],
  };
}

describe("a read of a thousand meters", () => {
  it("is ingested within seconds, every value once, and its job closes by itself", async () => {
    const world = engine(meterRows([0], METERS));
    const ledger = dynamoLedger(dynamo.db, "Ledger");
    const blocks = dynamoDayBlocks(dynamo.db, "Readings");
    const ports = { ...world.ports, ledger, blocks, batches: s3Batches(storage.s3, "evidence"), clock: systemClock };
    const ingestPorts = { ...ports, random: systemRandom, crypto: nodeCrypto };
    const outcome = await submitJob(ports, CALLER, { operation: { kind: "readRegisters" }, target: { kind: "all" } });
    const job = outcome.kind === "accepted" ? await ledger.job(outcome.jobId) : undefined;
    if (job === undefined) throw new Error("no job");
    expect(await planJob(ports, job)).toMatchObject({ state: "running", slices: 1, tasks: METERS });
    const [queued] = await collected(ledger.slicesOf(job.jobId));
    if (queued === undefined) throw new Error("no slice");
    const taken = advance(queued, { input: "taken", generation: 1, owner: "b1", now: systemClock.now() });
    if (taken.kind === "next") expect(await ledger.writeSlice(queued, taken.slice)).toBe("written");

    const to = Date.UTC(2026, 10, 2, 12);
    const bodies = Array.from({ length: METERS / 100 }, (_, piece) =>
      encodeMessage(ResultBatch, {
        v: 1,
        batch: `b1-${piece}`,
        bridge: "b1",
        lane: "bulk",
        job: job.jobId,
        segment: 0,
        part: 0,
        generation: 1,
        sentAt: to,
        tasks: Array.from({ length: 100 }, (_, index) => reportOf(piece * 100 + index, to)),
        passOver: piece === METERS / 100 - 1,
      }),
    );
    const begun = performance.now();
    const usedBefore = process.cpuUsage();
    const facts = await Promise.all(bodies.map((body) => ingestBatch(ingestPorts, body)));
    const used = process.cpuUsage(usedBefore);
    const cpuSeconds = (used.user + used.system) / 1e6;
    const seconds = (performance.now() - begun) / 1000;
    const sum = (of: (fact: (typeof facts)[number]) => number) => facts.reduce((total, fact) => total + of(fact), 0);
    expect(sum(({ readings }) => readings.added)).toBe(METERS * (INTERVALS * 2 + 2));
    expect(sum(({ readings }) => readings.written)).toBe(METERS * 2);
    expect(sum(({ outcomes }) => outcomes.ended)).toBe(METERS);
    expect(await ledger.job(job.jobId)).toMatchObject({ state: "closed" });
    expect(await ledger.progress(job.jobId)).toMatchObject({ done: METERS, open: 0 });
    expect(cpuSeconds).toBeLessThan(16); // the embedded engine's share included; wall time depends on the neighbours

    const stored = await readReadings({ blocks }, { segment: 0, slot: 417 }, to - 86_400_000, to + 3_600_000);
    const report = reportOf(417, to);
    expect(stored.intervals[0]?.entries.map(({ end, values }) => [end, ...values])).toEqual(
      report.intervals?.[0]?.ends.map((end, index) => [
        end,
        ...(report.intervals?.[0]?.values.map((column) => column[index]) ?? []),
      ]),
    );
    expect(stored.registers.length).toBe(2);

    const again = await ingestBatch(ingestPorts, bodies[3] ?? "");
    expect(again).toMatchObject({ readings: { added: 0, written: 0 }, outcomes: { ended: 0, duplicate: 100 } });
    expect(await sweepLedger(ports)).toMatchObject({ live: 0 });
    console.info(`ingested ${METERS} tasks in ${seconds.toFixed(1)} s, ${cpuSeconds.toFixed(1)} s of CPU`);
  });
});
