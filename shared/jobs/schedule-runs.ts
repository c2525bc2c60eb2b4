import { z } from "zod";
import { JobId } from "./job.ts";
import type { JobProgress, Ledger } from "./ledger.ts";

/** A service level: of the tasks of a run, this share (0 to 1) is done so many seconds after its planned instant. */
export const Sla = z.strictObject({
  share: z.number().gt(0).max(1),
  withinSeconds: z
    .int()
    .min(60)
    .max(7 * 86_400),
});
export type Sla = z.infer<typeof Sla>;

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

/** Judges every run that is watched by what the sweep counted last. Twice at once is harmless. */
export async function judgeRuns(
  ports: { readonly ledger: Pick<Ledger, "job" | "progress">; readonly runs: ScheduleRuns },
  now: number,
): Promise<readonly ScheduleRun[]> {
  const decided: ScheduleRun[] = [];
  for (const run of await ports.runs.watched()) {
    // The job before its count: one that is closed was counted when it was closed.
    const job = await ports.ledger.job(run.jobId);
    const progress = await ports.ledger.progress(run.jobId);
    const next = judged(run, progress, job === undefined || job.state === "closed", now);
    if (next.run === run && next.watch) continue;
    await ports.runs.write(next.run, next.watch);
    if (next.run.state !== run.state) decided.push(next.run);
  }
  return decided;
}
