/** Instants and durations as OpenADR writes them: RFC 3339, ISO 8601; with its words for *now* and *without end*. */

const DURATION =
  /^(-?)P(?=\d|T\d)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;
export const DURATION_PATTERN = DURATION;
const DAY_S = 86_400;
/** Years and months have no length of their own: a mean one. */
const YEAR_S = 365.2425 * DAY_S;
const PARTS_S = [YEAR_S, YEAR_S / 12, 7 * DAY_S, DAY_S, 3_600, 60, 1] as const;

/** The latest instant that a date can be, ms. */
export const FOREVER = 8_640_000_000_000_000;

/** Milliseconds; undefined: not a duration. */
export function durationMs(text: string): number | undefined {
  const match = DURATION.exec(text);
  if (match === null) return undefined;
  const [, sign, ...parts] = match;
  const seconds = parts.reduce((sum, part, index) => sum + Number(part ?? 0) * (PARTS_S[index] ?? 0), 0);
  return Math.round((sign === "-" ? -1 : 1) * seconds * 1000);
}

/** Clock ms, to the whole second; `0001-01-01…` (3.1) and `0000-00-00…` (3.0) are `now`. Undefined: no instant. */
export function instantMs(text: string, now: number): number | undefined {
  const instant = /^000[01]-0[01]-0[01]/.test(text) ? now : Date.parse(text);
  return Number.isFinite(instant) ? Math.floor(instant / 1000) * 1000 : undefined;
}

export const instantText = (instant: number): string => new Date(Math.min(instant, FOREVER)).toISOString();

/** Seconds as `PT…S`. */
export const durationText = (ms: number): string => `PT${Math.round(ms / 1000)}S`;
