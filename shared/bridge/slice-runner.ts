import type { AccessItem, AccessStore } from "../jobs/access.ts";
import { isGroupSlice } from "../jobs/group-request.ts";
import { hasIntent, intendedIn, isIntended } from "../jobs/intents.ts";
import type { Job } from "../jobs/job.ts";
import type { Lane } from "../jobs/lane.ts";
import type { Ledger } from "../jobs/ledger.ts";
import type { Mailboxes } from "../jobs/mailbox.ts";
import type { WorkItem } from "../jobs/messages.ts";
import { isOrder, orderNumber } from "../jobs/orders.ts";
import type { Slice } from "../jobs/slice.ts";
import { LEASE_MS } from "../jobs/slice-machine.ts";
import { slotReason, slotsIn } from "../jobs/slots.ts";
import { isGroupOperation } from "../metering/group.ts";
import { isCredit } from "../metering/operation.ts";
import type { Clock } from "../ports/clock.ts";
import { evaluate } from "../queries/language/evaluate.ts";
import { conditionOf, type MeterFilter } from "../queries/language/meter-filter.ts";
import { accessRow } from "../queries/meter-row.ts";
import { missingRanges } from "../readings/missing-ranges.ts";
import type { MissingRecords } from "../readings/missing-records.ts";
import { leaseBlock } from "../security/counters.ts";
import { type ActiveEpoch, counterDesk } from "./counter-desk.ts";
import { refusal } from "./failure-of.ts";
import { type GroupPorts, sendToGroup } from "./group-send.ts";
import { type JobWatch, runs } from "./job-watch.ts";
import type { OrderAsker, SafetyPorts } from "./order-safety.ts";
import { type Order, tryOrder } from "./order-task.ts";
import type { TimeLimits } from "./perform.ts";
import { putIntoMailbox } from "./put-into-mailbox.ts";
import type { ResultBatcher } from "./result-batcher.ts";
import { type SliceFacts, sliceFacts } from "./slice-facts.ts";
import { type NoWork, RENEW_MS, type SliceLease, takeLease } from "./slice-lease.ts";
import { type SliceWays, sliceWays, type WayDesk } from "./slice-ways.ts";
import { runTasks, type SliceTasks, type Stop, type TaskLoopPorts } from "./task-loop.ts";
import type { TaskEnd } from "./task-report.ts";
import type { Yielding } from "./yielding.ts";

/** Above the number of every order. */
const NEVER_SUPERSEDED = Number.POSITIVE_INFINITY;

/** A slice not through after this rests with its open slots, ms. */
export const SLICE_MS = 30 * 60_000;
/** A renewal that failed is tried again so soon, ms. */
const RENEW_AGAIN_MS = 5_000;

const LIMITS: Readonly<Record<Lane, TimeLimits>> = {
  commands: { connectMs: 5_000, responseMs: 5_000 },
  interactive: { connectMs: 5_000, responseMs: 5_000 },
  urgent: { connectMs: 10_000, responseMs: 10_000 },
  bulk: { connectMs: 10_000, responseMs: 10_000 },
  images: { connectMs: 10_000, responseMs: 10_000 },
};

export interface SlicePorts extends TaskLoopPorts {
  readonly clock: Clock;
  readonly ledger: Pick<Ledger, "slice" | "writeSlice">;
  readonly jobs: JobWatch;
  readonly access: AccessStore;
  readonly activeEpoch: ActiveEpoch;
  readonly results: ResultBatcher;
  readonly ways: WayDesk;
  /** Absent: no switch is operated. */
  readonly safety?: SafetyPorts;
  /** Absent: no lane makes way for orders. */
  readonly lanes?: Pick<Yielding, "took">;
  /** Absent: this bridge serves no groups. */
  readonly groups?: GroupPorts;
  /** Absent: this bridge reaches no endpoints that sleep. */
  readonly mailboxes?: Mailboxes;
  /** What is missing of days; absent: a job for it asks for its whole range. */
  readonly missing?: Pick<MissingRecords, "read">;
  /** Whether a meter matches now, by all that is known of it. Absent: the access item alone is looked at. */
  readonly stillMatches?: (filter: MeterFilter, item: AccessItem) => Promise<boolean>;
}

/** The message that named the slice. */
export interface SliceMessage {
  /** Keeps it invisible for `ms` from now. */
  renew(ms: number): Promise<void>;
  delete(): Promise<void>;
}

/** What the bridge as a whole asks of its slices. */
export interface Draining {
  /** No meter is dialled any more. */
  readonly stop: AbortSignal;
  /** Sessions that still run are cut. */
  readonly hangUp: AbortSignal;
}

/**
 * `over`: the pass is over, ingest closes the slice or lets it rest. `given-back`: planned again. `lost`: somebody else
 * has it, or may have. Else there was nothing to do, and why.
 */
export type SliceEnd =
  | { readonly kind: "over" | "given-back" | "lost"; readonly stop?: Stop }
  | { readonly kind: "nothing"; readonly why: NoWork }
  | { readonly kind: "fault"; readonly error: unknown };

export interface SliceOutcome {
  readonly end: SliceEnd;
  readonly facts: SliceFacts;
  readonly durationMs: number;
}

/**
 * Works on the slice that a message names, from lease to passOver. Never rejects. `owner`: unique to this run of this
 * slice, so that a redelivery to the same bridge finds a live lease.
 */
export async function runSlice(
  ports: SlicePorts,
  lane: Lane,
  item: WorkItem,
  message: SliceMessage,
  owner: string,
  draining: Draining,
): Promise<SliceOutcome> {
  const begun = ports.clock.now();
  const facts = sliceFacts();
  const outcome = (end: SliceEnd): SliceOutcome => ({ end, facts, durationMs: ports.clock.now() - begun });
  try {
    const lease = await takeLease(ports.ledger, ports.clock, item, owner);
    if (typeof lease === "string") {
      await message.delete();
      return outcome({ kind: "nothing", why: lease });
    }
    return outcome(await work(ports, lane, item, message, lease, facts, draining));
  } catch (error) {
    // Lease and message lapse within a minute: whoever takes the slice over counts an unclean end.
    return outcome({ kind: "fault", error });
  }
}

async function work(
  ports: SlicePorts,
  lane: Lane,
  item: WorkItem,
  message: SliceMessage,
  lease: SliceLease,
  facts: SliceFacts,
  draining: Draining,
): Promise<SliceEnd> {
  const { clock } = ports;
  const { slice } = lease;
  const overAt = clock.now() + SLICE_MS;
  const ways = sliceWays(ports.ways, clock, slice.lease?.owner ?? "", lane);
  const reports = ports.results.open(lane, { ...item, generation: slice.generation });
  const stopping = new AbortController();
  const drain = () => stopping.abort();
  draining.stop.addEventListener("abort", drain);
  if (draining.stop.aborted) drain();
  const ended = new AbortController();
  const renewing = keepRenewed(clock, lease, ways, message, ended.signal, drain);

  const jobRuns = async (): Promise<boolean> => runs(await ports.jobs.job(item.job));

  try {
    const job = await ports.jobs.job(item.job);
    // What may have begun is proved, whatever became of the job and however late it is; nothing else is begun then.
    const proofOnly = hasIntent(slice) && (!runs(job) || clock.now() >= slice.deadline);
    const slots = proofOnly ? intendedIn(slice) : slotsIn(slice.slots, "open");
    const stop = async (): Promise<Stop | undefined> => {
      if (!lease.isHeld()) return "lost";
      if (draining.stop.aborted) return "drain";
      if (stopping.signal.aborted) return "lost";
      const now = clock.now();
      if (now >= slice.deadline && !proofOnly) return "deadline";
      if (now >= overAt) return "overtime";
      return proofOnly || (await jobRuns()) ? undefined : "job-ended";
    };
    const order: Order | undefined =
      job === undefined || !isOrder(job)
        ? undefined
        : {
            operation: job.operation,
            asker: askerOf(job),
            number: isCredit(job.operation) ? NEVER_SUPERSEDED : orderNumber(job),
            deadline: slice.deadline,
            owner: slice.lease?.owner ?? "",
            lease,
            mayOperate: async () => !draining.stop.aborted && lease.isHeld() && (await jobRuns()),
            limits: LIMITS[lane],
            hangUp: draining.hangUp,
            facts,
          };
    const mayRun = job !== undefined && (proofOnly || runs(job));
    const stopped = !mayRun
      ? "job-ended"
      : isGroupSlice(slice)
        ? await sendToGroup(ports, job, slice, stop)
        : await runTasks(ports, {
            lane,
            segment: item.segment,
            slots,
            operation: job.operation,
            ...(await rangesOf(ports, job, item.segment)),
            keepFrames: job.keepFrames === true,
            ...suitsOf(ports, job, slice),
            limits: LIMITS[lane],
            toMailbox: (found) => putIntoMailbox(ports, job, slice, found),
            desk: counterDesk(ports.access, ports.activeEpoch, clock, item.segment, leaseBlock(slots.length)),
            ...(isForbidden(job)
              ? { tryOrder: async () => notForGroups }
              : order === undefined
                ? {}
                : { tryOrder: (found: AccessItem, attempt: number) => tryOrder(ports, order, found, attempt) }),
            stop,
            stopping: stopping.signal,
            hangUp: draining.hangUp,
            facts,
            share: item.share ?? "",
            ways,
            report: (report, last) => reports.add(report, last),
          });
    const because = stopped === undefined ? {} : { stop: stopped };
    const passOver = stopped === undefined || stopped === "deadline" || stopped === "overtime";
    await reports.finish(passOver); // the lease is renewed until ingest's queue has taken the last batch
    if (stopped === "lost") return { kind: "lost", ...because };
    ended.abort();
    await renewing;
    const given = passOver || (await lease.giveBack()); // of an ended job the slice may be closed already
    await message.delete();
    return { kind: passOver ? "over" : given ? "given-back" : "lost", ...because };
  } finally {
    ended.abort();
    await renewing;
    await ways.giveBack();
    draining.stop.removeEventListener("abort", drain);
  }
}

/** Renews lease, permits and invisibility together until `ended`; `onLost` when the lease is somebody else's. */
async function keepRenewed(
  clock: Clock,
  lease: SliceLease,
  ways: SliceWays,
  message: SliceMessage,
  ended: AbortSignal,
  onLost: () => void,
): Promise<void> {
  let pause = RENEW_MS;
  for (;;) {
    const slept = await clock.sleep(pause, ended).then(
      () => true,
      () => false,
    );
    if (!slept || ended.aborted) return;
    try {
      if (!(await lease.renew())) return onLost();
      await ways.renew();
      await message.renew(LEASE_MS);
      pause = RENEW_MS;
    } catch {
      pause = RENEW_AGAIN_MS; // the lease itself says when it is too late
    }
    if (!lease.isHeld()) return onLost();
  }
}

const askerOf = ({ jobId, caller: { id, name }, reason, approvals = [], test }: Job): OrderAsker => ({
  jobId,
  by: { id, ...(name === undefined ? {} : { name }) },
  ...(reason === undefined ? {} : { reason }),
  approved: approvals.length > 0,
  test: test === true,
});

/** Whatever a planner let through: what a group's key does not authorise is not done to any member of a group route. */
const isForbidden = ({ groupRoute, target, operation }: Job): boolean =>
  (groupRoute !== undefined || target.kind === "groupRoute") && !isGroupOperation(operation.kind);
const notForGroups: TaskEnd = { kind: "failed", failure: refusal("unsafe", "group.not-authorised") };

/** Of a job for what is missing of a day: what each meter of the segment has to be asked for. */
async function rangesOf(
  { missing }: SlicePorts,
  { target, operation }: Job,
  segment: number,
): Promise<Pick<SliceTasks, "ranges">> {
  if (target.kind !== "missing" || operation.kind !== "readIntervals") return {};
  const record = await missing?.read(segment, Date.parse(`${target.day}T00:00:00Z`));
  return record === undefined ? {} : { ranges: missingRanges(record) };
}

/**
 * Of a job by a stored query: whether the meter still is one that it is about, before this job asks it anything. A meter
 * that was tried is not looked at again: the job itself may have changed what the query asks (its last failure, …).
 */
function suitsOf(ports: SlicePorts, { filter }: Job, slice: Slice): Pick<SliceTasks, "suits"> {
  if (filter === undefined) return {};
  const condition = conditionOf(filter);
  return {
    suits: async (item) => {
      if (isIntended(slice, item.slot) || slotReason(slice.slots, item.slot) !== "none") return true;
      const byAccess = evaluate(condition, accessRow(item), ports.clock.now());
      return byAccess ?? (await ports.stillMatches?.(filter, item)) ?? true;
    },
  };
}
