import { Cron } from "croner";
import { assert } from "../ports/errors.ts";
import { CHANGE_MARGIN_MS, endOfGap, instantsOf, isSteady, isTimeZone, wallClock } from "./wall-clock.ts";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const WALKED_MAX = 10_000;

const everyHour = (cron: string): boolean => cron.trim().split(/\s+/)[1] === "*";

/**
 * The first run after `after` (clock ms; whole minutes), or undefined when there is none. `cron` has five fields and is
 * meant in `timeZone`: a run in a skipped hour happens at its end, once; a run in a repeated hour happens once, the first
 * time. A schedule of every hour (`*` in the hour field) means elapsed time: it neither waits an hour nor runs twice.
 */
export function nextRun(cron: string, timeZone: string, after: number): number | undefined {
  const pattern = new Cron(cron, { timezone: "UTC", paused: true });
  const walk = (wall: number): number | undefined => pattern.nextRun(new Date(wall))?.getTime();
  const steady = isSteady(timeZone, after);
  let wall = walk(wallClock(timeZone, after) - (steady ? MINUTE_MS : CHANGE_MARGIN_MS));
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
  if (!isTimeZone(timeZone)) return { field: "timeZone", expected: "an IANA time zone, for example Europe/Vienna" };
  if (cron.trim().split(/\s+/).length !== 5)
    return { field: "cron", expected: "five fields: minute, hour, day of month, month, day of week" };
  try {
    new Cron(cron, { timezone: "UTC", paused: true });
  } catch {
    return { field: "cron", expected: "a cron expression of five fields, for example */15 * * * *" };
  }
  return undefined;
}
