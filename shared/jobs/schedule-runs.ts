import { z } from "zod";
import { type Job, JobId } from "./job.ts";
import type { JobProgress, Ledger } from "./ledger.ts";
import { Sla } from "./sla.ts";

const Counts = z.strictObject({
  /** Clock ms. */
  asOf: z.int(),
  tasks: z.int(),
  done: z.int(),
  open: z.int(),
  failed: z.int(),
  expired: z.int(),
  cancelled: z.int(),
});

/** Intervals that a run, or the runs of a schedule over a day, were to bring, each once. Present: in time or late. */
export const IntervalCounts = z.strictObject({
  expected: z.int(),
  inTime: z.int(),
  /** Present, but read after it was due. */
  late: z.int(),
  missing: z.int(),
  /** Asked for by a task that is still open. */
  pending: z.int(),
  /** Neither present nor accounted for as missing. */
  unaccounted: z.int(),
  /** Reason → missing intervals. */
  reasons: z.record(z.string(), z.int()),
});
export type IntervalCounts = z.infer<typeof IntervalCounts>;

export const NO_INTERVALS: IntervalCounts = {
  expected: 0,
  inTime: 0,
  late: 0,
  missing: 0,
  pending: 0,
  unaccounted: 0,
  reasons: {},
};

export function countedSum(left: IntervalCounts, right: IntervalCounts): IntervalCounts {
  const reasons = { ...left.reasons };
  for (const [reason, count] of Object.entries(right.reasons)) reasons[reason] = (reasons[reason] ?? 0) + count;
  return {
    expected: left.expected + right.expected,
    inTime: left.inTime + right.inTime,
    late: left.late + right.late,
    missing: left.missing + right.missing,
    pending: left.pending + right.pending,
    unaccounted: left.unaccounted + right.unaccounted,
    reasons,
  };
}

/** A run of a schedule with a service level, and whether it was met; by the machine's clock but for `runAt`. */
export const ScheduleRun = z.strictObject({
  scheduleId: z.string().min(1).max(64),
  /** Product clock ms. */
  runAt: z.int(),
  jobId: JobId,
  sla: Sla,
  dueAt: z.int(),
  state: z.enum(["open", "met", "missed"]),
  /** When it was known. */
  decidedAt: z.int().optional(),
  /** Of a missed one: when it was reached after all. */
  reachedAt: z.int().optional(),
  /** What was counted when it was decided; absent: the job was never planned. */
  counts: Counts.optional(),
  /** Of a read of intervals: what was counted when it was decided. */
  intervals: IntervalCounts.optional(),
  /** A count of intervals under way: the segment to go on with, and what was counted before it. */
  under: z.strictObject({ from: z.int(), intervals: IntervalCounts }).optional(),
});
export type ScheduleRun = z.infer<typeof ScheduleRun>;

/** Runs as stored. Keys live in `functions/adapters/dynamo-schedules.ts`. */
export interface ScheduleRuns {
  /** If absent; and listed as watched. */
  begin(run: ScheduleRun): Promise<void>;
  /** Those that are watched still. */
  watched(): Promise<readonly ScheduleRun[]>;
  /** Overwritten: whoever judges the same counts writes the same. `watch`: false takes it off the list. */
  write(run: ScheduleRun, watch: boolean): Promise<void>;
  /** Newest first. */
  of(scheduleId: string, limit: number): Promise<readonly ScheduleRun[]>;
  run(scheduleId: string, runAt: number): Promise<ScheduleRun | undefined>;
}

/** Jobs are counted once a minute: what is counted so soon after an instant is taken for how it stood then, ms. */
export const COUNTED_WITHIN_MS = 60_000;

/**
 * How a run stands by the last count of its job (undefined: none yet). `final`: nothing of the job is open any more. Pure.
 * A verdict is never taken back; `watch`: another count may say more.
 */
export function judged(
  run: ScheduleRun,
  progress: JobProgress | undefined,
  final: boolean,
  now: number,
): { readonly run: ScheduleRun; readonly watch: boolean } {
  const late = run.dueAt + COUNTED_WITHIN_MS;
  if (progress === undefined) {
    if (now <= late && !final) return { run, watch: true };
    return { run: run.state === "open" ? { ...run, state: "missed", decidedAt: now } : run, watch: !final };
  }
  const { asOf, done, open, failed, expired, cancelled } = progress;
  const tasks = done + open + failed + expired + cancelled;
  const reached = done >= run.sla.share * tasks;
  const counts = { asOf, tasks, done, open, failed, expired, cancelled };
  if (run.state === "missed") {
    if (reached && run.reachedAt === undefined) return { run: { ...run, reachedAt: asOf }, watch: false };
    return { run, watch: !final && run.reachedAt === undefined };
  }
  if (run.state === "met") return { run, watch: false };
  if (reached && asOf <= late) return { run: { ...run, state: "met", decidedAt: asOf, counts }, watch: false };
  if (reached) return { run: { ...run, state: "missed", decidedAt: asOf, reachedAt: asOf, counts }, watch: false };
  if (final || asOf > run.dueAt) return { run: { ...run, state: "missed", decidedAt: asOf, counts }, watch: !final };
  return { run, watch: true };
}

/**
 * How a run that reads intervals stands by a whole count of them at `now`. What the meters had not closed yet when they
 * answered is the next run's to bring. Pure; a verdict is never taken back.
 */
export function judgedByIntervals(
  run: ScheduleRun,
  intervals: IntervalCounts,
  final: boolean,
  now: number,
): { readonly run: ScheduleRun; readonly watch: boolean } {
  const { under: _under, ...rest } = run;
  const due = run.sla.share * (intervals.expected - (intervals.reasons["not-yet"] ?? 0));
  if (run.state === "missed") {
    const reached = intervals.inTime + intervals.late >= due;
    return reached ? { run: { ...rest, reachedAt: now }, watch: false } : { run: rest, watch: !final };
  }
  const met = intervals.inTime >= due;
  return { run: { ...rest, state: met ? "met" : "missed", decidedAt: now, intervals }, watch: !met && !final };
}

export interface JudgePorts {
  readonly ledger: Pick<Ledger, "job" | "progress">;
  readonly runs: ScheduleRuns;
  /** Counts the intervals that a job was to bring, from a segment on; `next`: where it has to be gone on with. */
  readonly countIntervals: (
    job: Job,
    from: number | undefined,
  ) => Promise<{ readonly counts: IntervalCounts; readonly next?: number }>;
}

/**
 * Judges every run that is watched: by what the sweep counted last of its tasks, and one that reads intervals by those,
 * counted once it is due or its job is over, and once more at the end of the job where it was missed. Twice at once is
 * harmless.
 */
export async function judgeRuns(ports: JudgePorts, now: number): Promise<readonly ScheduleRun[]> {
  const decided: ScheduleRun[] = [];
  for (const run of await ports.runs.watched()) {
    // The job before its count: one that is closed was counted when it was closed.
    const job = await ports.ledger.job(run.jobId);
    const final = job === undefined || job.state === "closed";
    const next =
      job?.operation.kind === "readIntervals"
        ? await byIntervals(ports, run, job, now)
        : judged(run, await ports.ledger.progress(run.jobId), final, now);
    if (next.run === run && next.watch) continue;
    await ports.runs.write(next.run, next.watch);
    if (next.run.state !== run.state) decided.push(next.run);
  }
  return decided;
}

async function byIntervals(
  ports: JudgePorts,
  run: ScheduleRun,
  job: Job,
  now: number,
): Promise<{ readonly run: ScheduleRun; readonly watch: boolean }> {
  const final = job.state === "closed";
  const isDue = run.state === "open" && now > run.dueAt + COUNTED_WITHIN_MS;
  if (run.state === "met") return { run, watch: false };
  if (!final && !isDue) return { run, watch: true };
  const { counts, next } = await ports.countIntervals(job, run.under?.from);
  const intervals = countedSum(run.under?.intervals ?? NO_INTERVALS, counts);
  if (next !== undefined) return { run: { ...run, under: { from: next, intervals } }, watch: true };
  return judgedByIntervals(run, intervals, final, now);
}
