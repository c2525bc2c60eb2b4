import type { Operation } from "../metering/operation.ts";
import { blackoutAt, type Calendar, type Calendars } from "./calendar.ts";
import { calendarsOf, type NextRun, nextRunOf } from "./runs.ts";
import type { CatchUp, Schedule, ScheduledOperation, Schedules } from "./schedule.ts";
import type { ScheduleRuns } from "./schedule-runs.ts";
import { type JobRequest, type SubmitOutcome, type SubmitPorts, submitJob } from "./submit-job.ts";

export interface SchedulePorts extends SubmitPorts {
  readonly schedules: Schedules;
  readonly calendars: Pick<Calendars, "list">;
  readonly runs: Pick<ScheduleRuns, "begin">;
}

const CATCH_UP_MAX_SECONDS = 40 * 86_400;
const MISSED_WALKED_MAX = 5000;
const DAY_SECONDS = 86_400;

/** What a run asks: where it looks back, it does so from the run, and over the runs that were missed before it. */
function operationAt(operation: ScheduledOperation, runAt: number, firstMissed: number): Operation {
  if (!("lastSeconds" in operation)) return operation;
  const { lastSeconds, ...rest } = operation;
  const span = Math.min((runAt - firstMissed) / 1000 + lastSeconds, Math.max(CATCH_UP_MAX_SECONDS, lastSeconds));
  return { ...rest, range: { from: runAt - span * 1000, to: runAt } };
}

export interface DueRun {
  readonly runAt: number;
  readonly request: JobRequest;
  /** Runs that this one makes up for: missed, or moved by a blackout. */
  readonly missed: number;
}

export interface DueRuns {
  /** In order; none where everything due is given up. */
  readonly runs: readonly DueRun[];
  /** The schedule once these were made, but for what became of them. */
  readonly next: Schedule;
}

/** A run so late is still in time for `catchUp: none`, ms. */
export const LATE_MS = 300_000;

interface Due extends NextRun {
  /** Runs before it that were due as well, since the one before it that is made. */
  readonly missed: number;
}

/** Which of the due runs are made, by the policy. */
function madeOf(due: readonly NextRun[], catchUp: CatchUp, now: number): readonly Due[] {
  const [first, last] = [due[0], due.at(-1)];
  if (first === undefined || last === undefined) return [];
  switch (catchUp.kind) {
    case "none":
      return now - last.runAt <= LATE_MS ? [{ ...last, missed: 0 }] : [];
    case "last":
      return [{ runAt: last.runAt, from: first.from, missed: due.length - 1 }];
    case "all": {
      const kept = due.slice(-catchUp.max);
      const dropped = due.length - kept.length;
      return kept.map((run, index) =>
        index === 0 ? { ...run, from: first.from, missed: dropped } : { ...run, missed: 0 },
      );
    }
  }
}

/** The next run as it stands by today's calendars: they may have changed since it was written. */
function settled(schedule: Schedule, calendars: readonly Calendar[]): NextRun | undefined {
  const { nextRunAt, makesUpFrom, blackouts } = schedule;
  if (nextRunAt === undefined) return undefined;
  const from = makesUpFrom ?? nextRunAt;
  const blackout = blackoutAt(calendarsOf(schedule, calendars), nextRunAt);
  if (blackout === undefined) return { runAt: nextRunAt, from };
  if (blackouts?.runs === "move" && blackout.until !== undefined) return { runAt: blackout.until, from };
  return nextRunOf(schedule, calendars, nextRunAt);
}

function withNext(schedule: Schedule, run: NextRun | undefined): Schedule {
  const { nextRunAt: _nextRunAt, makesUpFrom: _makesUpFrom, ...rest } = schedule;
  if (run === undefined) return rest;
  return { ...rest, nextRunAt: run.runAt, ...(run.from === run.runAt ? {} : { makesUpFrom: run.from }) };
}

/**
 * What is due of a schedule at `now`; undefined: nothing, and nothing to write. Inside a blackout nothing starts, late
 * runs neither: they wait for its end, and then for the catch-up policy.
 */
export function dueRuns(schedule: Schedule, now: number, calendars: readonly Calendar[] = []): DueRuns | undefined {
  if (!schedule.enabled || schedule.nextRunAt === undefined || schedule.nextRunAt > now) return undefined;
  if (blackoutAt(calendarsOf(schedule, calendars), now) !== undefined) return undefined;
  const due: NextRun[] = [];
  let run = settled(schedule, calendars);
  while (run !== undefined && run.runAt <= now && due.length < MISSED_WALKED_MAX) {
    due.push(run);
    run = nextRunOf(schedule, calendars, run.runAt);
  }
  const made = madeOf(due, schedule.catchUp ?? { kind: "last" }, now);
  const lastRunAt = made.at(-1)?.runAt;
  return {
    runs: made.map(({ runAt, from, missed }) => ({
      runAt,
      missed,
      request: {
        operation: operationAt(schedule.operation, runAt, from),
        target: schedule.target,
        lane: schedule.lane,
        retry: schedule.retry,
        spreadSeconds: schedule.spreadSeconds,
        reason: `schedule ${schedule.name}`,
      },
    })),
    next: withNext({ ...schedule, ...(lastRunAt === undefined ? {} : { lastRunAt }) }, run),
  };
}

/** A schedule with its next run counted from `now`: when it is made, changed or resumed. */
export function rescheduled(schedule: Schedule, now: number, calendars: readonly Calendar[] = []): Schedule {
  return withNext(schedule, schedule.enabled ? nextRunOf(schedule, calendars, now) : undefined);
}

export interface RunFact {
  readonly scheduleId: string;
  readonly runAt: number;
  readonly missed: number;
  readonly outcome: SubmitOutcome;
}

/**
 * Makes every run that is due at `now` (product clock, ms; deadlines are by the ports' clock). The jobs come first, then
 * the schedule moves on: a double tick meets the same jobs.
 */
export async function runSchedules(ports: SchedulePorts, now: number): Promise<readonly RunFact[]> {
  const facts: RunFact[] = [];
  const schedules = (await ports.schedules.list()).filter(
    ({ nextRunAt }) => nextRunAt !== undefined && nextRunAt <= now,
  );
  const named = schedules.some(({ blackouts }) => blackouts !== undefined);
  const calendars = named ? await ports.calendars.list() : [];
  for (const schedule of schedules) {
    const due = dueRuns(schedule, now, calendars);
    if (due === undefined) continue;
    const { scheduleId, createdAt } = schedule;
    const lasting = (schedule.deadlineSeconds ?? DAY_SECONDS) + (schedule.spreadSeconds ?? 0);
    const deadline = ports.clock.now() + lasting * 1000;
    let { next } = due;
    for (const { runAt, missed, request } of due.runs) {
      const { sla } = schedule;
      const run = { scheduleId, createdAt, runAt, sla };
      const outcome = await submitJob(ports, schedule.caller, { ...request, deadline }, run);
      if (outcome.kind === "accepted" && sla !== undefined) {
        const dueAt = ports.clock.now() + (runAt - now) + sla.withinSeconds * 1000;
        await ports.runs.begin({ scheduleId, runAt, jobId: outcome.jobId, sla, dueAt, state: "open" });
      }
      const { lastProblem: _lastProblem, ...rest } = next;
      next =
        outcome.kind === "accepted"
          ? { ...rest, lastJobId: outcome.jobId }
          : { ...rest, lastProblem: `${outcome.field}: expected ${outcome.expected}`.slice(0, 300) };
      facts.push({ scheduleId, runAt, missed, outcome });
    }
    await ports.schedules.write(schedule, next); // a conflict: the next tick looks again
  }
  return facts;
}
