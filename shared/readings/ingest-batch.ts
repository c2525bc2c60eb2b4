import { type Batches, batchReference } from "../jobs/batches.ts";
import { closeJobIfDone } from "../jobs/close-job.ts";
import type { Job } from "../jobs/job.ts";
import type { Ledger } from "../jobs/ledger.ts";
import type { TaskReport } from "../jobs/messages.ts";
import { type RecordFacts, recordOutcomes } from "../jobs/record-outcomes.ts";
import { type BadReport, type ReceivedResults, readResults } from "../jobs/result-envelope.ts";
import { DEFAULT_RETRY } from "../jobs/submit-job.ts";
import type { MeterId } from "../metering/meter.ts";
import type { Clock } from "../ports/clock.ts";
import type { Crypto } from "../ports/crypto.ts";
import { HeadraceError } from "../ports/errors.ts";
import type { Random } from "../ports/random.ts";
import type { PushCounters } from "../security/push-window.ts";
import type { DayBlocks } from "./blocks.ts";
import { ingestPushes, type PushFacts } from "./ingest-pushes.ts";
import { keepReports } from "./keep-reports.ts";
import type { LakeMarks } from "./lake-marks.ts";
import type { StoreFacts } from "./store-readings.ts";

/** What a capability keeps of the reports beside readings. May be called again with the same reports. */
export interface Keeper {
  keep(batch: {
    readonly segment: number;
    /** Of the result batch, as readings refer to it. */
    readonly reference: string;
    readonly job: Job | undefined;
    /** When the bridge sent the batch, on the clock of jobs, ms. */
    readonly sentAt: number;
    readonly reports: readonly TaskReport[];
  }): Promise<void>;
  /** Of these meters nobody looks any more for what became of the job's order. */
  givenUp?(job: Job, meterIds: readonly MeterId[]): Promise<void>;
}

export interface IngestPorts {
  readonly ledger: Ledger;
  readonly blocks: DayBlocks;
  readonly batches: Batches;
  readonly clock: Clock;
  readonly random: Random;
  readonly crypto: Crypto;
  readonly keepers?: readonly Keeper[];
  /** Which days the lake has to be told of; absent: there is no lake. */
  readonly lake?: Pick<LakeMarks, "read" | "mark"> | undefined;
  /** Which pushes were taken; absent: a batch of pushes is an error. */
  readonly pushes?: PushCounters;
}

export interface IngestFacts {
  /** Absent: a batch of pushes. */
  readonly jobId?: string;
  readonly segment: number;
  readonly part?: number;
  readonly batch: string;
  readonly reports: number;
  readonly bad: readonly BadReport[];
  readonly readings: StoreFacts;
  readonly outcomes: RecordFacts;
  readonly pushes?: PushFacts;
}

/** Larger jobs are closed by the sweep: reading all their slices for each that closes would cost too much. */
const CLOSE_SLICES_MAX = 64;

export type ReceivedBatch<Kind extends "batch" | "pushes"> = ReceivedResults & {
  readonly kind: Kind;
  /** As it came, unless it lies there as an object. */
  readonly text?: string;
};

/** A message of the results queue, fetched where it only names an object. Throws as `readResults`, and `results.object-…`. */
async function received(
  ports: Pick<IngestPorts, "batches">,
  text: string,
): Promise<ReceivedBatch<"batch"> | ReceivedBatch<"pushes">> {
  const message = readResults(text);
  if (message.kind !== "object") return { ...message, text };
  const stored = await ports.batches.get(message.object);
  // Stored before the message is sent, and read as it was written: what is missing now will not come by itself.
  if (stored === undefined)
    throw new HeadraceError("results.object-missing", `expected the result batch ${message.object}, found none`, {
      retry: "never",
    });
  const batch = readResults(stored);
  if (batch.kind !== "object") return batch;
  throw new HeadraceError("results.object-malformed", `expected a result batch in ${message.object}`, {
    retry: "never",
  });
}

/** One message of the results queue; the caller acknowledges it. Every step may be repeated. */
export async function ingestBatch(ports: IngestPorts, body: string): Promise<IngestFacts> {
  const message = await received(ports, body);
  return message.kind === "batch" ? ingestTasks(ports, message) : ingestPushes(ports, message);
}

/**
 * What a bridge reports of a slice: evidence, then readings, then what the keepers keep, then outcomes. One meter's bad content never fails its batch: its raw report is kept, its task ends `failed(protocol)`.
 */
async function ingestTasks(
  ports: IngestPorts,
  { envelope, reports, bad, text }: ReceivedBatch<"batch">,
): Promise<IngestFacts> {
  const tells = reports.some(
    ({ registers, intervals, snapshots, events, frames }) =>
      (registers ?? intervals ?? snapshots ?? events ?? frames) !== undefined,
  );
  if (text !== undefined && (tells || bad.length > 0)) await ports.batches.putText(envelope, text);

  const reference = batchReference(ports.crypto, envelope);
  const job = await ports.ledger.job(envelope.job);
  const stored = await keepReports(ports, {
    segment: envelope.segment,
    reference,
    job,
    sentAt: envelope.sentAt,
    reports,
  });
  const malformed: readonly BadReport[] = [...bad, ...stored.bad];
  const badSlots = new Set(malformed.flatMap(({ slot }) => (slot === undefined ? [] : [slot])));
  const outcomes: Pick<TaskReport, "slot" | "outcome">[] = reports.filter(({ slot }) => !badSlots.has(slot));
  for (const slot of badSlots)
    outcomes.push({
      slot,
      outcome: { kind: "failed", reason: "protocol", code: "results.report-malformed", retry: "never" },
    });
  const key = { jobId: envelope.job, segment: envelope.segment, part: envelope.part };
  const recorded = await recordOutcomes(ports, key, envelope, outcomes, job?.retry ?? DEFAULT_RETRY);
  if (job !== undefined && recorded.unproved.length > 0) {
    const meterIds = reports.filter(({ slot }) => recorded.unproved.includes(slot)).map(({ meterId }) => meterId);
    for (const keeper of ports.keepers ?? []) await keeper.givenUp?.(job, meterIds);
  }
  if (recorded.closed > 0 && (job?.slices ?? 0) <= CLOSE_SLICES_MAX) await closeJobIfDone(ports, envelope.job);
  return {
    ...key,
    batch: reference,
    reports: reports.length + bad.length,
    bad: malformed,
    readings: stored.facts,
    outcomes: recorded,
  };
}
