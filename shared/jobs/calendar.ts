import { z } from "zod";
import { endOfGap, instantsOf, isTimeZone, wallClock } from "./wall-clock.ts";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const LocalDate = z.iso.date();
/** `MM-DD`. */
const DayOfYear = z
  .string()
  .regex(/^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, "expected MM-DD")
  .refine((day) => z.iso.date().safeParse(`2024-${day}`).success, "expected a day that there is");
const LocalTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "expected HH:MM");

/** Days and daily windows in which schedules that name the calendar do not run, by the wall clock of its zone. */
export const Calendar = z.strictObject({
  name: z.string().min(1).max(64),
  description: z.string().max(200).optional(),
  /** IANA name. */
  timeZone: z.string().min(1).max(64).refine(isTimeZone, "expected an IANA time zone, for example Europe/Vienna"),
  /** Whole local days. */
  dates: z.array(LocalDate).max(400).default([]),
  /** The same of every year, from midnight to midnight. `to`, included; before `from`: in the next year. */
  seasons: z
    .array(z.strictObject({ from: DayOfYear, to: DayOfYear }))
    .max(8)
    .default([]),
  daily: z
    .array(
      z
        .strictObject({
          /** Of the day on which the window begins: 0 Sunday … 6 Saturday. Absent: every day. */
          days: z.array(z.int().min(0).max(6)).min(1).max(7).optional(),
          from: LocalTime,
          /** Excluded. Not after `from`: of the next day. */
          to: LocalTime,
        })
        .refine(({ from, to }) => from !== to, { message: "expected another time than from", path: ["to"] }),
    )
    .max(20)
    .default([]),
});
export type Calendar = z.infer<typeof Calendar>;

/** Calendars. Keys live in `functions/adapters/dynamo-named.ts`. */
export interface Calendars {
  put(calendar: Calendar): Promise<void>;
  read(name: string): Promise<Calendar | undefined>;
  /** By name, ascending. */
  list(): Promise<readonly Calendar[]>;
  remove(name: string): Promise<void>;
}

const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
const dateOf = (wall: number): string => new Date(wall).toISOString().slice(0, 10);

const isWithin = ({ from, to }: { readonly from: string; readonly to: string }, day: string): boolean =>
  from <= to ? from <= day && day <= to : from <= day || day <= to;

/** Ends of the windows that hold this wall time, as wall times. */
function endsAround(calendar: Calendar, wall: number): number[] {
  const midnight = Math.floor(wall / DAY_MS) * DAY_MS;
  const date = dateOf(wall);
  const whole = calendar.dates.includes(date) || calendar.seasons.some((season) => isWithin(season, date.slice(5)));
  const ends: number[] = whole ? [midnight + DAY_MS] : [];
  // A window over midnight may have begun the day before.
  for (const { days, from, to } of calendar.daily)
    for (const begun of [midnight - DAY_MS, midnight]) {
      if (days !== undefined && !days.includes(new Date(begun).getUTCDay())) continue;
      const start = begun + minutesOf(from) * MINUTE_MS;
      const end = begun + minutesOf(to) * MINUTE_MS + (to <= from ? DAY_MS : 0);
      if (start <= wall && wall < end) ends.push(end);
    }
  return ends;
}

/** Whether a calendar holds an instant. */
export const isBlackedOut = (calendar: Calendar, instant: number): boolean =>
  endsAround(calendar, wallClock(calendar.timeZone, instant)).length > 0;

export interface Blackout {
  readonly calendar: string;
  /** The first instant that is in no blackout of any of the calendars, clock ms; absent: none within two years. */
  readonly until?: number;
}

/** Two years of whole days, each with some windows that touch. */
const STEPS_MAX = 3000;

/** The blackout that holds an instant, if any; windows that touch or overlap are one, over all the calendars. */
export function blackoutAt(calendars: readonly Calendar[], instant: number): Blackout | undefined {
  let first: string | undefined;
  let at = instant;
  for (let steps = 0; steps < STEPS_MAX; steps++) {
    let next: number | undefined;
    for (const calendar of calendars) {
      const ends = endsAround(calendar, wallClock(calendar.timeZone, at));
      if (ends.length === 0) continue;
      first ??= calendar.name;
      next = Math.max(next ?? 0, firstAfter(calendar.timeZone, Math.max(...ends), at));
    }
    if (next === undefined) return first === undefined ? undefined : { calendar: first, until: at };
    at = next;
  }
  return first === undefined ? undefined : { calendar: first };
}

/** The first instant after `at` that shows `wall`, or at which the clock is put forward over it. */
const firstAfter = (timeZone: string, wall: number, at: number): number =>
  instantsOf(timeZone, wall).find((instant) => instant > at) ?? Math.max(endOfGap(timeZone, wall), at + MINUTE_MS);
