const MARGIN_MS = 26 * 3_600_000; // no zone ever shifted its clock by more than a day

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

/** Whether the name is an IANA time zone. */
export function isTimeZone(timeZone: string): boolean {
  try {
    formatOf(timeZone);
    return true;
  } catch {
    return false;
  }
}

/** What the clock on the wall shows at `instant`, as if it showed UTC: milliseconds, whole seconds. */
export function wallClock(timeZone: string, instant: number): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of formatOf(timeZone).formatToParts(instant)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

const offset = (timeZone: string, instant: number): number =>
  wallClock(timeZone, instant) - Math.floor(instant / 1000) * 1000;

/** Whether no change of the clock is near. */
export const isSteady = (timeZone: string, instant: number): boolean =>
  offset(timeZone, instant - MARGIN_MS) === offset(timeZone, instant + MARGIN_MS);

/** Instants at which the wall clock shows `wall`: one, two in a repeated hour; in a skipped hour none. Ascending. */
export function instantsOf(timeZone: string, wall: number): number[] {
  const offsets = new Set([offset(timeZone, wall - MARGIN_MS), offset(timeZone, wall + MARGIN_MS)]);
  return [...offsets]
    .map((candidate) => wall - candidate)
    .filter((instant) => wallClock(timeZone, instant) === wall)
    .sort((left, right) => left - right);
}

/** The instant at which the skipped hour that holds `wall` is over: when the clock was put forward. */
export function endOfGap(timeZone: string, wall: number): number {
  let before = wall - MARGIN_MS;
  let after = wall + MARGIN_MS;
  while (after - before > 1000) {
    const middle = Math.floor((before + after) / 2000) * 1000;
    if (wallClock(timeZone, middle) > wall) after = middle;
    else before = middle;
  }
  return after;
}

/** How far around a change of the clock its other side may lie, ms. */
export const CHANGE_MARGIN_MS = MARGIN_MS;
