import { Cron } from "croner";
import { assert } from "../ports/errors.ts";

const DAY_MS = 86_400_000;
const MARGIN_MS = 26 * 3_600_000; // no zone ever shifted its clock by more than a day
const MINUTE_MS = 60_000;
const WALKED_MAX = 10_000;

const formats = new Map<string, Intl.DateTimeFormat>();
function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  formats.set(timeZone, format);
  return format;
}

/** What the clock on the wall shows at `instant`, as if it showed UTC: milliseconds. */
function wallClock(timeZone: string, instant: number): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(instant)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

const offset = (timeZone: string, instant: number): number =>
  wallClock(timeZone, instant) - Math.floor(instant / 1000) * 1000;

/** Instants at which the wall clock shows `wall`: one, two in a repeated hour; in a skipped hour none. */
function instantsOf(timeZone: string, wall: number): number[] {
  const offsets = new Set([offset(timeZone, wall - MARGIN_MS), offset(timeZone, wall + MARGIN_MS)]);
  return [...offsets]
    .map((candidate) => wall - candidate)
    .filter((instant) => wallClock(timeZone, instant) === wall)
    .sort((left, right) => left - right);
}

/** The instant at which the skipped hour that holds `wall` is over: when the clock was put forward. */
function endOfGap(timeZone: string, wall: number): number {
  let before = wall - MARGIN_MS;
  let after = wall + MARGIN_MS;
  while (after - before > 1000) {
    const middle = Math.floor((before + after) / 2000) * 1000;
    if (wallClock(timeZone, middle) > wall) after = middle;
    else before = middle;
  }
  return after;
}

const everyHour = (cron: string): boolean => cron.trim().split(/\s+/)[1] === "*";

/**
 * The first run after `after` (clock ms; whole minutes), or undefined when there is none. `cron` has five fields and is
 * meant in `timeZone`: a run in a skipped hour happens at its end, once; a run in a repeated hour happens once, the first
 * time. A schedule of every hour (`*` in the hour field) means elapsed time: it neither waits an hour nor runs twice.
 */
export function nextRun(cron: string, timeZone: string, after: number): number | undefined {
  const pattern = new Cron(cron, { timezone: "UTC", paused: true });
  const walk = (wall: number): number | undefined => pattern.nextRun(new Date(wall))?.getTime();
  const steady = offset(timeZone, after - MARGIN_MS) === offset(timeZone, after + MARGIN_MS);
  let wall = walk(wallClock(timeZone, after) - (steady ? MINUTE_MS : MARGIN_MS));
  let best: number | undefined;
  for (let walked = 0; wall !== undefined; walked++, wall = walk(wall)) {
    assert(walked < WALKED_MAX, "a run is found within a bounded walk");
    const instants = instantsOf(timeZone, wall);
    if (!everyHour(cron)) {
      const run = instants[0] ?? endOfGap(timeZone, wall);
      if (run > after) return run;
      continue;
    }
    if (best !== undefined && (instants[0] ?? wall + DAY_MS) >= best) return best;
    for (const instant of instants) if (instant > after && (best === undefined || instant < best)) best = instant;
    if (steady && best !== undefined) return best;
  }
  return best;
}

export type RecurrenceProblem = { readonly field: "cron" | "timeZone"; readonly expected: string };

/** Says what is wrong with a recurrence; undefined: nothing. */
export function recurrenceProblem(cron: string, timeZone: string): RecurrenceProblem | undefined {
  try {
    formatOf(timeZone);
  } catch {
    return { field: "timeZone", expected: "an IANA time zone, for example Europe/Vienna" };
  }
  if (cron.trim().split(/\s+/).length !== 5)
    return { field: "cron", expected: "five fields: minute, hour, day of month, month, day of week" };
  try {
    new Cron(cron, { timezone: "UTC", paused: true });
  } catch {
    return { field: "cron", expected: "a cron expression of five fields, for example */15 * * * *" };
  }
  return undefined;
}
