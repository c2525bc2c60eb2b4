import { seedOf } from "../ports/random.ts";
import { awaitsApproval } from "./approval.ts";
import { isGroupSlice, SETTLE_MS } from "./group-request.ts";
import type { Job, JobId } from "./job.ts";
import type { Ledger } from "./ledger.ts";
import { tallyOf } from "./progress.ts";
import type { SliceKey } from "./slice.ts";

/** How the job stands that another one waits for. */
export type Awaited = "live" | "done" | "not-done" | "unknown";

/** `send`: its slices may go; `wait`; `drop`: it never goes, and why. */
export type Release = { readonly kind: "send" | "wait" } | { readonly kind: "drop"; readonly because: string };

type Held = Pick<Job, "notBefore" | "after" | "deadline" | "approval" | "approvals">;

/** Whether something other than the planner keeps a planned job from being sent. */
export const mayBeHeld = (job: Omit<Held, "deadline">): boolean =>
  job.notBefore !== undefined || job.after !== undefined || awaitsApproval(job);

/**
 * Whether a planned job may be sent at `now`. Past its deadline it may always: its tasks then expire by the rule of all
 * slices. `awaited`: the job of `after`.
 */
export function releaseOf(job: Held, now: number, awaited: Awaited | undefined): Release {
  if (awaitsApproval(job)) {
    const lapses = Math.min(job.approval?.lapsesAt ?? 0, job.deadline);
    return now < lapses ? { kind: "wait" } : { kind: "drop", because: "nobody approved it in time" };
  }
  if (now >= job.deadline) return { kind: "send" };
  if (job.after !== undefined) {
    if (awaited === undefined || awaited === "live") return { kind: "wait" };
    if (awaited === "unknown") return { kind: "drop", because: `there is no job ${job.after.jobId}` };
    if (awaited === "not-done" && job.after.on === "done")
      return { kind: "drop", because: `not every task of job ${job.after.jobId} ended done` };
  }
  return { kind: (job.notBefore ?? 0) > now ? "wait" : "send" };
}

/** How the awaited job stands: of a closed one all slices are counted, once. */
export async function awaitedState(ledger: Pick<Ledger, "job" | "slicesOf">, jobId: JobId): Promise<Awaited> {
  const job = await ledger.job(jobId);
  if (job === undefined) return "unknown";
  if (job.state !== "closed") return "live";
  const { progress, tasks } = await tallyOf(ledger.slicesOf(jobId), 0);
  // A job without tasks is done, unless it was ended before it was planned.
  if (tasks === 0) return (job.steps ?? []).some(ends) ? "not-done" : "done";
  return progress.done === tasks ? "done" : "not-done";
}
const ends = ({ action }: { readonly action: string }): boolean => action === "cancelled" || action === "dropped";

/** Jobs that wait for each other in a row: no more than these. */
export const CHAIN_MAX = 16;

/**
 * Why a job may not wait for the one that is named. A job can only name one that exists, so that a ring could close only
 * over the job's own id; the walk finds that as well, and rows that are too long.
 */
export async function chainProblem(
  ledger: Pick<Ledger, "job">,
  jobId: JobId,
  after: JobId,
): Promise<"unknown" | "cycle" | "too-long" | undefined> {
  let next: JobId | undefined = after;
  for (let length = 1; next !== undefined; length++) {
    if (next === jobId) return "cycle";
    if (length > CHAIN_MAX) return "too-long";
    const job: Job | undefined = await ledger.job(next);
    if (job === undefined) return "unknown";
    next = job.state === "closed" ? undefined : job.after?.jobId;
  }
  return undefined;
}

type Starting = Pick<Job, "createdAt"> & {
  readonly [Name in "notBefore" | "spreadSeconds" | "groupRoute"]?: Job[Name] | undefined;
};

const firstStart = ({ createdAt, notBefore }: Starting): number => Math.max(createdAt, notBefore ?? 0);

/** From then on nothing of a group request is sent, clock ms. */
export const windowEnd = (job: Starting): number => firstStart(job) + (job.groupRoute?.windowSeconds ?? 0) * 1000;

/** When meters are first asked by themselves. */
const ownStart = (job: Starting): number => windowEnd(job) + (job.groupRoute === undefined ? 0 : SETTLE_MS);

/** By then every slice of the job has started, clock ms. */
export const lastStart = (job: Starting): number => ownStart(job) + (job.spreadSeconds ?? 0) * 1000;

/**
 * When a slice of the job starts, clock ms: the job's own start and, where slices are spread, a share of the spread by
 * hash, the same whoever asks. The start is kept in the slice as its next attempt, not in the queue as a delay: until
 * then the slice is not due, so that no sweep takes it for a lost one. A job that waits for another one longer than its
 * spread starts at once. Meters that a group request asks all at once are asked by themselves after its window.
 */
export function startOf(job: Starting, key: SliceKey): number {
  if (isGroupSlice(key)) return firstStart(job);
  const from = ownStart(job);
  const { spreadSeconds = 0 } = job;
  if (spreadSeconds === 0) return from;
  return from + (seedOf(`${key.jobId}#${key.segment}#${key.part}#start`) % (spreadSeconds * 1000));
}
