import type { Calendar } from "./calendar.ts";
import { blackoutAt } from "./calendar.ts";
import { nextRun } from "./recurrence.ts";
import type { Schedule } from "./schedule.ts";

/** What decides when a schedule runs. */
export type Timing = Pick<Schedule, "cron" | "timeZone" | "blackouts">;

/** One entry of a schedule's timetable. */
export interface TimetableEntry {
  /** By its recurrence, clock ms. */
  readonly plannedAt: number;
  /** When it runs; absent: it is skipped. */
  readonly runsAt?: number;
  /** The calendar whose blackout skips or moves it. */
  readonly blackout?: string;
}

/** Runs that each meet another blackout, one after the other: then the schedule never runs. */
const BLACKOUTS_MAX = 2000;

/** The calendars that a schedule names, of those that there are. */
export const calendarsOf = ({ blackouts }: Pick<Timing, "blackouts">, all: readonly Calendar[]): readonly Calendar[] =>
  blackouts === undefined ? [] : all.filter(({ name }) => blackouts.calendars.includes(name));

/** Planned runs after `after`, each with what becomes of it; moved runs may come together at the end of a blackout. */
export function* timetable(timing: Timing, calendars: readonly Calendar[], after: number): Generator<TimetableEntry> {
  const named = calendarsOf(timing, calendars);
  for (let at = nextRun(timing.cron, timing.timeZone, after); at !== undefined; ) {
    const blackout = named.length === 0 ? undefined : blackoutAt(named, at);
    if (blackout === undefined) yield { plannedAt: at, runsAt: at };
    else if (timing.blackouts?.runs === "move" && blackout.until !== undefined)
      yield { plannedAt: at, runsAt: blackout.until, blackout: blackout.calendar };
    else yield { plannedAt: at, blackout: blackout.calendar };
    at = nextRun(timing.cron, timing.timeZone, at);
  }
}

export interface NextRun {
  readonly runAt: number;
  /** The first planned run that it makes up for: itself, or one that was moved to it. */
  readonly from: number;
}

/**
 * The first instant after `after` at which the schedule runs. Runs that a blackout moves to one instant are one run, and
 * one with a run that is planned for that instant: counting on from it loses and doubles none.
 */
export function nextRunOf(timing: Timing, calendars: readonly Calendar[], after: number): NextRun | undefined {
  const { cron, timeZone, blackouts } = timing;
  const named = calendarsOf(timing, calendars);
  let at = nextRun(cron, timeZone, after);
  for (let blackedOut = 0; at !== undefined && blackedOut < BLACKOUTS_MAX; blackedOut++) {
    const blackout = named.length === 0 ? undefined : blackoutAt(named, at);
    if (blackout === undefined) return { runAt: at, from: at };
    if (blackout.until === undefined) return undefined; // a calendar that blacks out everything
    if (blackouts?.runs === "move") return { runAt: blackout.until, from: at };
    at = nextRun(cron, timeZone, blackout.until - 1);
  }
  return undefined;
}
