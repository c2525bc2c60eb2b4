import type { SQSEvent } from "aws-lambda";
import { documentClient } from "../../functions/adapters/document-client.ts";
import { dynamoAccess } from "../../functions/adapters/dynamo-access.ts";
import { dynamoLedger } from "../../functions/adapters/dynamo-ledger.ts";
import { systemClock } from "../../functions/adapters/system-clock.ts";
import { FUNCTIONS } from "../../infra/functions.ts";
import { Permissions } from "../../infra/local/permissions.ts";
import { openQueueEngine } from "../../infra/local/queue-engine.ts";
import { startQueueFront } from "../../infra/local/queue-front.ts";
import {
  BUCKET_VARIABLES,
  parkedVariable,
  queueVariable,
  TABLE_VARIABLES,
  type TableName,
} from "../../infra/resources.ts";
import { COMPANY_MS } from "../../shared/bridge/push-batcher.ts";
import { takeLease } from "../../shared/bridge/slice-lease.ts";
import { CALLER, engine, meterRows } from "../../shared/jobs/engine-fixture.ts";
import { encodeMessage, ResultBatch, type TaskReport, type WorkItem } from "../../shared/jobs/messages.ts";
import { planJob } from "../../shared/jobs/plan-job.ts";
import { PushBatch, type PushReport } from "../../shared/jobs/push-message.ts";
import { submitJob } from "../../shared/jobs/submit-job.ts";
import { sweepLedger } from "../../shared/jobs/sweep.ts";
import type { Measurement } from "../../shared/metering/measurement.ts";
import { MeterId, SEGMENT_SLOTS } from "../../shared/metering/meter.ts";
import { assert } from "../../shared/ports/errors.ts";
import { below, seeded } from "../../shared/ports/random.ts";
import { DAY_MS } from "../../shared/readings/day-block.ts";
import { household } from "../../shared/simulator/household.ts";
import { LoadCurve } from "../../shared/simulator/load-model.ts";
import { TABLES } from "../contract/embedded-dynamo.ts";
import { lambdaContext } from "../http-event.ts";
import type { Benchmark, BenchmarkResult } from "./benchmark.ts";
import { type CountedDynamo, countedDynamo, type ItemKey, type WriteUnits } from "./counted-dynamo.ts";

const METERS = SEGMENT_SLOTS;
const PERIOD_MS = 900_000;
const HOUR_MS = 3_600_000;
const DAY = Date.UTC(2026, 10, 3);
/** Meters that push; as close in time as those of a full segment. */
const PUSHING = 128;
/** Bridges that pushes reach by turns, and how many batches each sends of all segments between two pushes of a meter. */
const BRIDGES = 3;
const BATCHES_BETWEEN = 9_000;
/** How much a push of one meter comes later than the one before would say. */
const JITTER_MS = 3_000;
/** A pass over a slice lasts a minute: its lease is renewed so often. */
const RENEWALS = 2;
const INGEST = "ingest-results";
const CHANNELS: readonly Measurement[] = [
  "energy.active.import.total",
  "energy.active.export.total",
  "energy.reactive.import.total",
  "energy.reactive.export.total",
];

/** Kinds of items by table and key. */
const KINDS: readonly (readonly [table: string, key: RegExp, kind: string])[] = [
  ["Readings", /^D#[^/]*\/\d{4}#[^/]*#v#/, "superseded values"],
  ["Readings", /^D#/, "day block"],
  ["Readings", /^G#/, "missing intervals"],
  ["Readings", /^P#/, "push counter"],
  ["Readings", /^C#/, "fleet columns"],
  ["Ledger", /^L#/, "slice"],
  ["Ledger", /^J#[^/]*\/progress$/, "progress"],
  ["Ledger", /^(?:J#|JOBS|LIVE)/, "job"],
  ["Ledger", /^W#/, "watermark"],
  ["Access", /^MARK#/, "counter mark"],
];
const kindOf = (table: string, { pk, sk }: ItemKey): string =>
  KINDS.find(([name, key]) => name === table && key.test(`${pk}/${sk}`))?.[2] ?? `${table}: ${pk.split("#")[0]}`;

/** Name of the table as the embedded one has it. */
const tableName = (name: TableName): string => `${name[0]?.toUpperCase()}${name.slice(1)}`;
const tables = () => {
  const known = new Set(TABLES.map(({ TableName }) => TableName));
  const plain = TABLES.find(({ TableName }) => TableName === "Readings");
  assert(plain !== undefined, "the product has a table of readings");
  const more = (Object.keys(TABLE_VARIABLES) as TableName[]).map(tableName).filter((name) => !known.has(name));
  return [...TABLES, ...more.map((TableName) => ({ ...plain, TableName }))];
};

/** The ingest function as it is deployed, with the environment that its description asks for. */
async function ingestFunction(dynamo: CountedDynamo) {
  const queues = await openQueueEngine();
  const permissions = new Permissions();
  permissions.grant("bench", { Statement: { Effect: "Allow", Action: "*", Resource: "*" } });
  const front = await startQueueFront(queues, permissions);
  const { id, secret } = permissions.accessKey("bench", "bench");
  const { tables: used = {}, buckets = {}, sends = [], parked, settings = {} } = FUNCTIONS[INGEST] ?? {};
  const url = (name: string): string => `http://127.0.0.1/000000000000/${name}`;
  const env: Record<string, string> = {
    AWS_REGION: "eu-central-1",
    AWS_ACCESS_KEY_ID: id,
    AWS_SECRET_ACCESS_KEY: secret,
    AWS_ENDPOINT_URL_DYNAMODB: dynamo.endpoint,
    AWS_ENDPOINT_URL_S3: front.url,
    AWS_ENDPOINT_URL_SQS: front.url,
    POWERTOOLS_LOG_LEVEL: "SILENT",
    POWERTOOLS_METRICS_DISABLED: "true",
  };
  for (const name of Object.keys(used) as TableName[]) env[TABLE_VARIABLES[name]] = tableName(name);
  for (const name of Object.keys(buckets) as (keyof typeof BUCKET_VARIABLES)[]) {
    queues.s3.createBucket(name);
    env[BUCKET_VARIABLES[name]] = name;
  }
  for (const name of sends) env[queueVariable(name)] = url(name);
  for (const name of parked?.queues ?? []) env[parkedVariable(name)] = url(`${name}-parked`);
  for (const variable of Object.keys(settings)) env[variable] = variable === "BLOCK_DAYS" ? "800" : "event=800";
  Object.assign(process.env, env);
  const module = (await import(`../../functions/${INGEST}/handler.ts`)) as {
    readonly handler: (event: SQSEvent, context: object) => Promise<{ readonly batchItemFailures: readonly object[] }>;
  };
  const { metrics } = await import("../../functions/adapters/telemetry.ts");
  Object.assign(metrics, { publishStoredMetrics: () => metrics.clearMetrics() });
  let messages = 0;
  return {
    /** As the queue delivers them, ten at a time. */
    async ingest(bodies: readonly string[]): Promise<void> {
      for (let at = 0; at < bodies.length; at += 10) {
        const Records = bodies.slice(at, at + 10).map((body) => ({
          messageId: String(++messages),
          body,
          attributes: { ApproximateReceiveCount: "1", MessageGroupId: "bulk" },
        }));
        const { batchItemFailures } = await module.handler({ Records } as unknown as SQSEvent, lambdaContext(600_000));
        assert(batchItemFailures.length === 0, "every batch is ingested");
      }
    },
    close: () => front.close(),
  };
}

/** Households behind the meters: their loads are computed once. */
const HOUSEHOLDS = 64;
const curves = Array.from({ length: HOUSEHOLDS }, (_, house) => new LoadCurve(household(1, house)));

/** What a meter shows of (from, to], and its registers at `at`: a household's load, its reactive share in the same steps. */
function readingOf(meter: number, from: number, to: number, at: number): Pick<TaskReport, "intervals" | "registers"> {
  const curve = curves[meter % HOUSEHOLDS];
  assert(curve !== undefined, "every meter has a household");
  const ends: number[] = [];
  for (let end = Math.floor(from / PERIOD_MS + 1) * PERIOD_MS; end <= to; end += PERIOD_MS) ends.push(end);
  const energies = (instant: number): bigint[] => {
    const { importWh, exportWh } = curve.energyAt(instant);
    const reactive = (energy: number) => BigInt(Math.floor(energy * curve.reactiveShare));
    return [BigInt(importWh), BigInt(exportWh), reactive(importWh), reactive(exportWh)];
  };
  const rows = ends.map(energies);
  const shown = energies(at);
  return {
    registers: CHANNELS.slice(0, 2).map((m, index) => ({ m, v: shown[index] ?? 0n, s: 0 })),
    intervals: [
      {
        set: "load",
        period: PERIOD_MS / 1000,
        channels: CHANNELS.map((m) => ({ m, s: 0 })),
        ends,
        values: CHANNELS.map((_, channel) => rows.map((row) => row[channel] ?? 0n)),
        status: ends.map(() => 0),
      },
    ],
  };
}

interface World {
  readonly dynamo: CountedDynamo;
  readonly ingest: (bodies: readonly string[]) => Promise<void>;
  readonly meters: number;
}

const profile = { name: "bench", version: 1 };
const digest = "ab".repeat(32);

/** One job of all meters: planned, leased, read, ingested, swept. `from`, `at`: what is asked for at the run. */
async function poll({ dynamo, ingest, meters }: World, from: number, at: number, reportsABatch: number): Promise<void> {
  const segments = Math.ceil(meters / SEGMENT_SLOTS);
  const { ports, sent } = engine(meterRows([...Array(segments).keys()], SEGMENT_SLOTS));
  const db = documentClient({ endpoint: dynamo.endpoint });
  const ledger = dynamoLedger(db, "Ledger", systemClock.now);
  const access = dynamoAccess(db, "Access");
  const own = { ...ports, ledger, clock: systemClock };
  const outcome = await submitJob(own, CALLER, {
    operation: { kind: "readIntervals", range: { from, to: at }, registers: "total" },
    target: { kind: "all" },
    idempotencyKey: `bench-${from}-${at}`,
  });
  const job = outcome.kind === "accepted" ? await ledger.job(outcome.jobId) : undefined;
  assert(job !== undefined, "the job is accepted");
  await planJob(own, job);
  for (const item of sent as readonly WorkItem[]) {
    const lease = await takeLease(ledger, systemClock, item, "bench");
    assert(typeof lease !== "string", "the slice can be worked on");
    const { segment } = item;
    await access.leaseCounters(segment, 64, 1);
    const bodies: string[] = [];
    for (let first = 0; first < SEGMENT_SLOTS; first += reportsABatch)
      bodies.push(
        encodeMessage(ResultBatch, {
          v: 1,
          batch: `bench-${at}-${segment}-${first}`,
          bridge: "bench",
          lane: "bulk",
          job: item.job,
          segment,
          part: 0,
          generation: item.generation,
          sentAt: at,
          tasks: Array.from({ length: Math.min(reportsABatch, SEGMENT_SLOTS - first) }, (_, index) => ({
            slot: first + index,
            meterId: MeterId.parse(`M-${segment * SEGMENT_SLOTS + first + index}`),
            attempt: 1,
            at,
            outcome: { kind: "done" as const },
            profile,
            frameDigest: digest,
            clockOffsetMs: 0,
            ...readingOf(segment * SEGMENT_SLOTS + first + index, from, at, at),
          })),
          passOver: first + reportsABatch >= SEGMENT_SLOTS,
        }),
      );
    for (const renewal of Array(RENEWALS + 1).keys()) {
      const each = Math.ceil(bodies.length / (RENEWALS + 1));
      await ingest(bodies.slice(renewal * each, (renewal + 1) * each));
      if (renewal < RENEWALS) await lease.renew();
    }
  }
  await sweepLedger(own);
  const closed = await ledger.job(job.jobId);
  assert(closed?.state === "closed", "the job is over");
  db.destroy();
}

/**
 * Each of a segment's meters pushes what it counted in the last quarter-hour, at a second of its own and with a jitter of
 * its own, and the batches are as the bridges' batchers make them of that: what came while the first one waited.
 */
async function push({ ingest }: World, at: number): Promise<void> {
  const random = seeded(`pushes-${at}`);
  const spacing = PERIOD_MS / SEGMENT_SLOTS;
  const bridges = Array.from({ length: BRIDGES }, (_, bridge) => ({ bridge, sendsAt: 0, pushes: [] as PushReport[] }));
  const bodies: string[] = [];
  const send = ({ bridge, sendsAt: sentAt, pushes }: (typeof bridges)[number]): void => {
    if (pushes.length === 0) return;
    const number = ((at / PERIOD_MS) % 10_000) * BATCHES_BETWEEN + bodies.length;
    const name = { batch: `bench${bridge}-pushes-${number}`, bridge: `bench${bridge}-pushes` };
    bodies.push(encodeMessage(PushBatch, { v: 1, ...name, segment: 0, sentAt, pushes: pushes.splice(0) }));
  };
  for (let slot = 0; slot < PUSHING; slot++) {
    const receivedAt = at + Math.round(slot * spacing) + below(random, JITTER_MS);
    const bridge = bridges[below(random, BRIDGES)];
    assert(bridge !== undefined, "a push reaches a bridge");
    if (receivedAt >= bridge.sendsAt) {
      send(bridge);
      bridge.sendsAt = receivedAt + COMPANY_MS;
    }
    bridge.pushes.push({
      slot,
      meterId: MeterId.parse(`M-${slot}`),
      proof: { key: "unicast", version: 1, counter: BigInt(at / PERIOD_MS) },
      transport: "tcp",
      receivedAt,
      profile,
      frameDigest: digest,
      intervals: readingOf(slot, at - PERIOD_MS, at, at).intervals,
    });
  }
  for (const bridge of bridges) send(bridge);
  await ingest(bodies);
}

const rounded = (value: number): number => Number(value.toFixed(3));
const sumOf = (units: WriteUnits): number => [...units.values()].reduce((sum, one) => sum + one.units, 0);

/** Units that an operation on a meter takes, by kind, all items counted. */
function figuresOf(name: string, units: WriteUnits, operations: number): BenchmarkResult["figures"] {
  const line = (kind: string, value: number) => ({ name: kind, value: rounded(value / operations), unit: "units" });
  return [
    line(name, sumOf(units)),
    ...[...units].sort(([, a], [, b]) => b.units - a.units).map(([kind, one]) => line(`  ${kind}`, one.units)),
  ];
}

/** Write units of a read and of a push through the ingest function as it is deployed, planner, lease and sweep included. */
export const writeUnits: Benchmark = {
  name: "write-units",
  about: `DynamoDB write units a polled read and a push, by kind of item; --meters N, default ${METERS}`,
  async run(say, { meters: wanted = METERS }) {
    const meters = Math.ceil(wanted / SEGMENT_SLOTS) * SEGMENT_SLOTS;
    const dynamo = await countedDynamo(tables(), kindOf);
    const { ingest, close } = await ingestFunction(dynamo);
    const world = { dynamo, ingest, meters };
    const figures: BenchmarkResult["figures"][number][] = [];
    const ratios: Record<string, number> = {};
    const measure = async (name: string, operations: number, work: () => Promise<void>): Promise<void> => {
      dynamo.taken();
      await work();
      const units = dynamo.taken();
      figures.push(...figuresOf(name, units, operations));
      ratios[name] = rounded(sumOf(units) / operations);
      say(`${name}: ${ratios[name]} units`);
    };
    try {
      const late = 7 * 60_000;
      await measure("daily read of a UTC day", meters, () =>
        poll(world, DAY - 10 * DAY_MS, DAY - 9 * DAY_MS + late, 100),
      );
      await measure("read each four hours", meters * 6, async () => {
        for (let hour = 4; hour <= 24; hour += 4)
          await poll(world, DAY + (hour - 4) * HOUR_MS + late, DAY + hour * HOUR_MS + late, 100);
      });
      await measure("the same, 17 reports a batch", meters, () =>
        poll(world, DAY + 5 * DAY_MS + 8 * HOUR_MS, DAY + 5 * DAY_MS + 12 * HOUR_MS + late, 17),
      );
      const quarters = DAY_MS / PERIOD_MS;
      await measure("push each quarter-hour of a day", PUSHING * quarters, async () => {
        for (let quarter = 1; quarter <= quarters; quarter++) await push(world, DAY + 3 * DAY_MS + quarter * PERIOD_MS);
      });
    } finally {
      await close();
      await dynamo.close();
    }
    return {
      mix: `${meters} meters in full segments, four channels of 15 minutes and two total registers; each read is one job over all meters: planned, leased (renewed twice), 100 reports a batch through the ingest function, swept; a push is one interval of four channels, each of 128 meters, as close in time as the 1,024 of a segment that push each at a second of its own of the quarter-hour, through one of three bridges by chance, in the batches of their batchers; the larger of an item before and after a write counts, by 1 kB, index entries too`,
      figures,
      ratios,
    };
  },
};
