import type { Operation } from "../metering/operation.ts";
import { nextRun } from "./recurrence.ts";
import type { Schedule, ScheduledOperation, Schedules } from "./schedule.ts";
import { type JobRequest, type SubmitOutcome, type SubmitPorts, submitJob } from "./submit-job.ts";

export interface SchedulePorts extends SubmitPorts {
  readonly schedules: Schedules;
}

const CATCH_UP_MAX_SECONDS = 40 * 86_400;
const MISSED_WALKED_MAX = 5000;
const DAY_SECONDS = 86_400;

/** What a run asks: an interval read looks back from the run, and over the runs that were missed before it. */
function operationAt(operation: ScheduledOperation, runAt: number, firstMissed: number): Operation {
  if (operation.kind !== "readIntervals") return operation;
  const { lastSeconds, ...rest } = operation;
  const span = Math.min((runAt - firstMissed) / 1000 + lastSeconds, Math.max(CATCH_UP_MAX_SECONDS, lastSeconds));
  return { ...rest, range: { from: runAt - span * 1000, to: runAt } };
}

export interface DueRun {
  readonly runAt: number;
  readonly request: JobRequest;
  /** The schedule once this run was made, but for its job id. */
  readonly next: Schedule;
  /** Runs that this one catches up with. */
  readonly missed: number;
}

/**
 * The run that is due, if any. Runs that were missed (nothing ran, or the schedule's tick was late) are not made one by
 * one: the newest is made, and an interval read reaches back to the first.
 */
export function dueRun(schedule: Schedule, now: number): DueRun | undefined {
  const first = schedule.nextRunAt;
  if (!schedule.enabled || first === undefined || first > now) return undefined;
  let [runAt, missed] = [first, 0];
  let following = nextRun(schedule.cron, schedule.timeZone, runAt);
  while (following !== undefined && following <= now && missed < MISSED_WALKED_MAX) {
    runAt = following;
    missed++;
    following = nextRun(schedule.cron, schedule.timeZone, runAt);
  }
  const { nextRunAt: _nextRunAt, ...rest } = schedule;
  return {
    runAt,
    missed,
    request: {
      operation: operationAt(schedule.operation, runAt, first),
      target: schedule.target,
      lane: schedule.lane,
      retry: schedule.retry,
      reason: `schedule ${schedule.name}`,
    },
    next: { ...rest, lastRunAt: runAt, ...(following === undefined ? {} : { nextRunAt: following }) },
  };
}

/** A schedule with its next run counted from `now`: when it is made, changed or enabled. */
export function rescheduled(schedule: Schedule, now: number): Schedule {
  const { nextRunAt: _nextRunAt, ...rest } = schedule;
  const at = schedule.enabled ? nextRun(schedule.cron, schedule.timeZone, now) : undefined;
  return { ...rest, ...(at === undefined ? {} : { nextRunAt: at }) };
}

export interface RunFact {
  readonly scheduleId: string;
  readonly runAt: number;
  readonly missed: number;
  readonly outcome: SubmitOutcome;
}

/**
 * Makes every run that is due at `now` (product clock, ms; deadlines are by the ports' clock). The job comes first, then
 * the schedule moves on: a double tick meets the same job.
 */
export async function runSchedules(ports: SchedulePorts, now: number): Promise<readonly RunFact[]> {
  const facts: RunFact[] = [];
  for (const schedule of await ports.schedules.list()) {
    const due = dueRun(schedule, now);
    if (due === undefined) continue;
    const { scheduleId, createdAt } = schedule;
    const deadline = ports.clock.now() + (schedule.deadlineSeconds ?? DAY_SECONDS) * 1000;
    const run = { scheduleId, createdAt, runAt: due.runAt };
    const outcome = await submitJob(ports, schedule.caller, { ...due.request, deadline }, run);
    const lastJobId = outcome.kind === "accepted" ? { lastJobId: outcome.jobId } : {};
    await ports.schedules.write(schedule, { ...due.next, ...lastJobId }); // a conflict: the next tick looks again
    facts.push({ scheduleId, runAt: due.runAt, missed: due.missed, outcome });
  }
  return facts;
}
