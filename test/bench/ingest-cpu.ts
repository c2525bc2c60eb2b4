import { CALLER, engine, meterRows, T0 } from "../../shared/jobs/engine-fixture.ts";
import { memoryBatches } from "../../shared/jobs/memory-batches.ts";
import { encodeMessage, ResultBatch, type TaskReport } from "../../shared/jobs/messages.ts";
import { planJob } from "../../shared/jobs/plan-job.ts";
import { submitJob } from "../../shared/jobs/submit-job.ts";
import { MeterId, SEGMENT_SLOTS } from "../../shared/metering/meter.ts";
import { assert } from "../../shared/ports/errors.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { ingestBatch } from "../../shared/readings/ingest-batch.ts";
import { memoryDayBlocks } from "../../shared/readings/memory-day-blocks.ts";
import { memoryLakeMarks } from "../../shared/readings/memory-lake.ts";
import { type Benchmark, used } from "./benchmark.ts";

const METERS = 10_240;
const WARM = 1_024;
const BATCH = 100;
const INTERVALS = 96;
const READINGS = INTERVALS * 2 + 2;
const ENDS = Array.from({ length: INTERVALS }, (_, at) => T0 - (INTERVALS - 1 - at) * 900_000);

function reportOf(slot: number): TaskReport {
  const column = (base: bigint): bigint[] => ENDS.map((_, at) => base + BigInt(slot) * 1_000n + BigInt(at * 7));
  return {
    slot,
    meterId: MeterId.parse(`M-${slot}`),
    attempt: 1,
    at: T0,
    outcome: { kind: "done" },
    registers: [
      { m: "energy.active.import.total", v: 8_000_000n + BigInt(slot), s: 0 },
      { m: "energy.active.export.total", v: 80_000n + BigInt(slot), s: 0 },
    ],
    intervals: [
      {
        set: "load",
        period: 900,
        channels: [
          { m: "energy.active.import.total", s: 0 },
          { m: "energy.active.export.total", s: 0 },
        ],
        ends: ENDS,
        values: [column(8_000_000n), column(80_000n)],
        status: ENDS.map(() => 0),
      },
    ],
  };
}

/** One job of so many meters, and the messages that a bridge sends of it. */
async function world(meters: number) {
  const segments = Math.ceil(meters / SEGMENT_SLOTS);
  const base = engine(
    meterRows(
      Array.from({ length: segments }, (_, segment) => segment),
      SEGMENT_SLOTS,
    ),
  );
  const outcome = await submitJob(base.ports, CALLER, {
    operation: { kind: "readRegisters" },
    target: { kind: "all" },
  });
  const job = outcome.kind === "accepted" ? await base.ports.ledger.job(outcome.jobId) : undefined;
  assert(job !== undefined, "the job is accepted");
  await planJob(base.ports, job);
  const bodies: string[] = [];
  for (let segment = 0; segment < segments; segment++)
    for (let first = 0; first < SEGMENT_SLOTS; first += BATCH)
      bodies.push(
        encodeMessage(ResultBatch, {
          v: 1,
          batch: `bench-${segment}-${first}`,
          bridge: "bench",
          lane: "bulk",
          job: job.jobId,
          segment,
          part: 0,
          generation: 1,
          sentAt: T0,
          tasks: Array.from({ length: Math.min(BATCH, SEGMENT_SLOTS - first) }, (_, at) => reportOf(first + at)),
          passOver: false,
        }),
      );
  const ports = {
    ...base.ports,
    blocks: memoryDayBlocks(),
    lake: memoryLakeMarks(),
    batches: memoryBatches(nodeCrypto),
    crypto: nodeCrypto,
  };
  return { ports, bodies, tasks: segments * SEGMENT_SLOTS };
}

/** Result messages through the ingest function's own entry point: parsing, day blocks, outcomes; the stores in memory. */
export const ingestCpu: Benchmark = {
  name: "ingest-cpu",
  about: `ingests result messages of a day's intervals a meter over stores in memory; --meters N, default ${METERS}`,
  async run(say, { meters = METERS }) {
    const ingest = async ({ ports, bodies }: Awaited<ReturnType<typeof world>>): Promise<number> => {
      let added = 0;
      for (const body of bodies) added += (await ingestBatch(ports, body)).readings.added;
      return added;
    };
    await ingest(await world(WARM));
    const measured = await world(meters);
    say(`${measured.bodies.length} messages of ${measured.tasks} meters`);
    let added = 0;
    const { cpuSeconds } = await used(async () => {
      added = await ingest(measured);
    });
    assert(added === measured.tasks * READINGS, `expected ${measured.tasks * READINGS} readings, got ${added}`);
    const octets = measured.bodies.reduce((sum, body) => sum + body.length, 0);
    const rounded = (value: number): number => Number(value.toPrecision(3));
    return {
      mix: `each meter: ${INTERVALS} intervals of two channels and two registers (${READINGS} readings, day block of two UTC days), ${BATCH} meters a message; parsing, evidence, day blocks and outcomes; ledger, blocks and objects in memory`,
      figures: [
        { name: "meters", value: measured.tasks, unit: "meters" },
        { name: "readings a CPU second", value: Math.round(added / cpuSeconds), unit: "readings/s" },
        { name: "meters a CPU second", value: rounded(measured.tasks / cpuSeconds), unit: "meters/s" },
        { name: "message", value: Math.round(octets / measured.tasks), unit: "B/meter" },
      ],
      ratios: {},
    };
  },
};
