import { eventKeeper } from "../../shared/events/keep-events.ts";
import { memoryAlarms, memoryTimeline } from "../../shared/events/memory-timeline.ts";
import { collected } from "../../shared/jobs/concurrency.ts";
import { CALLER, engine, meterRows, T0 } from "../../shared/jobs/engine-fixture.ts";
import { memoryBatches } from "../../shared/jobs/memory-batches.ts";
import { encodeMessage, ResultMessage, type TaskReport } from "../../shared/jobs/messages.ts";
import { planJob } from "../../shared/jobs/plan-job.ts";
import { PushBatch } from "../../shared/jobs/push-message.ts";
import { advance } from "../../shared/jobs/slice-machine.ts";
import { slotReason, slotState } from "../../shared/jobs/slots.ts";
import { submitJob } from "../../shared/jobs/submit-job.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import type { Operation } from "../../shared/metering/operation.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { below, chance, type Random, seeded } from "../../shared/ports/random.ts";
import { dayOf, intervalEnd } from "../../shared/readings/day-block.ts";
import { decodeDayBlock } from "../../shared/readings/day-block-codec.ts";
import { type IngestPorts, ingestBatch } from "../../shared/readings/ingest-batch.ts";
import { fleetColumnKeeper } from "../../shared/readings/keep-fleet-columns.ts";
import { memoryDayBlocks } from "../../shared/readings/memory-day-blocks.ts";
import { memoryFleetColumns } from "../../shared/readings/memory-fleet-columns.ts";
import { memoryLakeMarks } from "../../shared/readings/memory-lake.ts";
import { memoryMissingRecords } from "../../shared/readings/memory-missing-records.ts";
import { notHeldKeeper } from "../../shared/readings/not-held.ts";
import { memoryPushCounters } from "../../shared/security/push-window.ts";

const SEGMENT = 3;
const METERS = 3;
const HOUR_MS = 3_600_000;
const RANGE = { from: T0 - 6 * HOUR_MS, to: T0 };

/** Called before and after each effect; where it throws or never answers, the effect is the last one of its process. */
export type Step = (what: string) => Promise<void>;

/** Every method of a port is an effect. */
const stepped = <T extends object>(name: string, port: T, step: Step): T =>
  new Proxy(port, {
    get(target, key, self) {
      const member: unknown = Reflect.get(target, key, self);
      if (typeof member !== "function") return member;
      return async (...given: unknown[]) => {
        await step(`before ${name}.${String(key)}`);
        const answer: unknown = await (member as (...a: unknown[]) => Promise<unknown>).apply(target, given);
        await step(`after ${name}.${String(key)}`);
        return answer;
      };
    },
  });

export interface IngestTown {
  /** The bodies of the results queue, oldest first. */
  readonly bodies: readonly string[];
  /** One invocation takes one of them. */
  take(body: string, step: Step): Promise<void>;
  /** All that is kept in the end, as comparable text. */
  kept(): Promise<string>;
  /** Values that lie in the blocks, more than once if they lie there more than once. */
  readings(): Promise<readonly string[]>;
}

/** What some meters answered, drawn by the seed: gaps, corrections, events, refusals, failures. */
export async function ingestTown(seed: number, replays = true): Promise<IngestTown> {
  const random = seeded(`ingest ${seed}`);
  const base = engine(meterRows([SEGMENT], METERS));
  const blocks = memoryDayBlocks();
  const batches = memoryBatches(nodeCrypto);
  const records = memoryMissingRecords();
  const timeline = memoryTimeline();
  const alarms = memoryAlarms();
  const columns = memoryFleetColumns();
  const pushes = memoryPushCounters();
  const lake = memoryLakeMarks();
  const operations: readonly Operation[] = [
    { kind: "readIntervals", range: RANGE, registers: "total" },
    { kind: "readIntervals", range: { ...RANGE, from: RANGE.from + 2 * HOUR_MS } },
    { kind: "readEvents", range: RANGE },
  ];
  const jobs: Awaited<ReturnType<typeof opened>>[] = [];
  for (const [number, operation] of operations.entries()) jobs.push(await opened(operation, number));
  const results = jobs.map(({ jobId, operation }, number) => {
    const tasks = Array.from({ length: METERS }, (_, slot) => reportOf(random, slot, number, operation));
    return encodeMessage(ResultMessage, {
      v: 1,
      batch: `b1-${number}`,
      bridge: "b1",
      lane: "bulk",
      job: jobId,
      segment: SEGMENT,
      part: 0,
      generation: 1,
      sentAt: T0,
      tasks,
      passOver: true,
    });
  });

  // The second batch of pushes may repeat one of the first: a replay.
  const bodies = [...results, pushBody(random, 1, 7n), pushBody(random, 2, replays ? 7n : 8n)];

  async function opened(operation: Operation, number: number) {
    const asked = await submitJob(base.ports, CALLER, {
      operation,
      target: { kind: "all" },
      retry: { passes: 1 },
      idempotencyKey: String(number),
    });
    const job = asked.kind === "accepted" ? await base.ports.ledger.job(asked.jobId) : undefined;
    if (job === undefined) throw new Error("the job is there");
    await planJob(base.ports, job);
    for (const slice of await collected(base.ports.ledger.slicesOf(job.jobId))) {
      const taken = advance(slice, { input: "taken", generation: 1, owner: "b1", now: base.clock.now() });
      if (taken.kind === "next") await base.ports.ledger.writeSlice(slice, taken.slice);
    }
    return { jobId: job.jobId, operation };
  }

  return {
    bodies,
    async take(body, step) {
      const { ledger } = base.ports;
      const ports: IngestPorts = {
        ledger: { ...stepped("ledger", ledger, step), slicesOf: ledger.slicesOf },
        blocks: stepped("blocks", blocks, step),
        batches: stepped("batches", batches, step),
        clock: base.ports.clock,
        random: seeded(1),
        crypto: nodeCrypto,
        pushes: stepped("pushes", pushes, step),
        lake: stepped("lake", lake, step),
        keepers: [
          notHeldKeeper(stepped("records", records, step)),
          fleetColumnKeeper({
            columns: stepped("columns", columns, step),
            clock: base.ports.clock,
            random: seeded(1),
          }),
          eventKeeper({
            timeline: stepped("timeline", timeline, step),
            alarms: stepped("alarms", alarms, step),
            crypto: nodeCrypto,
          }),
        ],
      };
      await ingestBatch(ports, body);
    },
    readings: () => storedValues(),
    async kept() {
      const text = (value: unknown): string =>
        JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" ? `${part}n` : part));
      const days = [dayOf(RANGE.from), dayOf(T0)];
      const slices = (await Promise.all(jobs.map(({ jobId }) => collected(base.ports.ledger.slicesOf(jobId))))).flat();
      const superseded = await Promise.all(
        Array.from({ length: METERS }, (_, slot) => blocks.supersededOf({ segment: SEGMENT, slot }, dayOf(T0))),
      );
      return text({
        values: await storedValues(),
        superseded: superseded
          .flat()
          .flatMap(({ key, octets }) =>
            [...decodeDayBlock(key.day, octets).entries].map(
              ([interval, { values }]) => `${key.slot} ${interval} ${values}`,
            ),
          )
          .sort(),
        missing: (await Promise.all(days.map((day) => records.read(SEGMENT, day)))).map((record) =>
          (record?.entries ?? []).map((entry) => ({ ...entry, bits: [...entry.bits] })),
        ),
        // Those of one instant are in no order.
        events: await Promise.all(
          Array.from({ length: METERS }, async (_, slot) =>
            (await timeline.of(idOf(slot), RANGE.from, T0 + 2 * HOUR_MS, 1_000)).map(text).sort(),
          ),
        ),
        alarms: (await collected(alarms.within(0, T0 + HOUR_MS))).map((alarm) => text(alarm)).sort(),
        columns: (await columns.read(SEGMENT))?.columns,
        lake: (await collected(lake.list())).map(text).sort(),
        outcomes: slices.map(({ state, slots }) => [
          state,
          Array.from({ length: METERS }, (_, slot) => `${slotState(slots, slot)} ${slotReason(slots, slot)}`),
        ]),
      });
    },
  };

  async function storedValues(): Promise<readonly string[]> {
    const found: string[] = [];
    for (const day of new Set([dayOf(RANGE.from), dayOf(T0)]))
      for (const { key, octets } of await blocks.ofSegment(SEGMENT, day)) {
        const block = decodeDayBlock(day, octets);
        for (const [number, { values }] of block.entries)
          for (const [channel, value] of values.entries())
            found.push(`${key.slot} ${channel} ${intervalEnd(day, block.period, number)} ${value}`);
        for (const { start, end, values } of block.side) found.push(`${key.slot} side ${start} ${end} ${values}`);
        for (const { measurement, value, at, origin } of block.registers)
          found.push(`${key.slot} ${measurement} ${at ?? origin.at} ${value}`);
      }
    return found.sort();
  }
}

/** Of a stored value: whether a push of this meter brought it. Pushes alone bring what ended after the jobs' range. */
export const isPushed = (value: string, slot: number): boolean => {
  const [of, , end] = value.split(" ").map(Number);
  return of === slot && end !== undefined && end > T0;
};

const idOf = (slot: number) => MeterId.parse(`M-${slot}`);

/** `counter`: of the second meter. */
const pushBody = (random: Random, number: number, counter: bigint): string =>
  encodeMessage(PushBatch, {
    v: 1,
    batch: `b1-p${number}`,
    bridge: "b1",
    segment: SEGMENT,
    sentAt: T0,
    pushes: Array.from({ length: METERS }, (_, slot) => ({
      slot,
      meterId: idOf(slot),
      proof: { key: "unicast", version: 1, counter: slot === 1 ? counter : BigInt(below(random, 1_000_000)) },
      transport: "tcp" as const,
      receivedAt: T0 + (number * HOUR_MS) / 2,
      profile: { name: "P", version: 1 },
      frameDigest: "ab".repeat(32),
      intervals: [
        {
          set: "load",
          period: 900,
          channels: [{ m: "energy.active.import.total" as const, s: 0 }],
          ends: [T0 + number * 900_000],
          values: [[BigInt(5_000 + below(random, 100))]],
          status: [0],
        },
      ],
      events: [{ at: T0 - 60_000, e: "power.last-gasp" as const, log: "alarms", code: String(number) }],
    })),
  });

/** `number`: of the batch; later ones may say otherwise what an earlier one said. */
function reportOf(random: Random, slot: number, number: number, operation: Operation): TaskReport {
  const at = T0 + number * 1_000 + slot;
  const base: TaskReport = { slot, meterId: idOf(slot), attempt: 1, at, outcome: { kind: "done" } };
  if (chance(random, 0.15))
    return { ...base, outcome: { kind: "failed", reason: "timeout", code: "link.timeout", retry: "later" } };
  if (operation.kind === "readEvents") {
    const events = Array.from({ length: 1 + below(random, 3) }, (_, seq) => ({
      at: RANGE.from + 60_000 * (1 + below(random, 300)),
      e: chance(random, 0.3) ? ("tamper.cover-opened" as const) : ("power.failed" as const),
      log: "standard",
      code: String(below(random, 50)),
      seq,
    }));
    return { ...base, events };
  }
  const range = operation.kind === "readIntervals" ? operation.range : RANGE;
  const all = Array.from({ length: (range.to - range.from) / 900_000 }, (_, step) => range.from + (step + 1) * 900_000);
  const ends = all.filter(() => !chance(random, 0.1));
  const corrects = number > 0 && chance(random, 0.5);
  const refused = chance(random, 0.2) ? { refusals: [{ item: "voltage", code: "access-denied" }] } : {};
  return {
    ...base,
    ...refused,
    registers: [{ m: "energy.active.import.total", v: BigInt(1_000 + number), s: 0, at: T0 - 900_000 }],
    intervals: [
      {
        set: "load",
        period: 900,
        channels: [{ m: "energy.active.import.total", s: 0 }],
        ends,
        values: [ends.map((end, index) => BigInt(end / 900_000) + (corrects && index % 5 === 0 ? 7n : 0n))],
        status: ends.map(() => 0),
      },
    ],
  };
}
