import type { Clock } from "./clock.ts";

/**
 * A clock that begins at `start` when the base clock shows `anchor` and runs `factor` times as fast. All instants in
 * milliseconds since 1970-01-01T00:00Z.
 */
export interface ClockSetting {
  readonly start: number;
  readonly factor: number;
  /** Base time at which this clock shows `start`; undefined: when the clock is made. */
  readonly anchor: number | undefined;
}

const SETTING = /^(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?Z)(?:\*(\d{1,6}(?:\.\d{1,6})?))?(?:@(\d{1,15}))?$/;

/**
 * Reads `START[*FACTOR][@ANCHOR]`, e.g. `2026-11-01T00:00:00Z*120`; undefined when the text is anything else. With an
 * anchor every process that is given the same text shows the same time.
 */
export function parseClockSetting(text: string): ClockSetting | undefined {
  const match = SETTING.exec(text);
  if (match === null) return undefined;
  const start = Date.parse(match[1]!);
  const factor = match[2] === undefined ? 1 : Number(match[2]);
  if (Number.isNaN(start) || factor <= 0) return undefined;
  return { start, factor, anchor: match[3] === undefined ? undefined : Number(match[3]) };
}

export const formatClockSetting = (setting: ClockSetting): string =>
  `${new Date(setting.start).toISOString()}*${setting.factor}${setting.anchor === undefined ? "" : `@${setting.anchor}`}`;

/** `sleep` waits in this clock's milliseconds: at factor 60 a minute passes in a second. */
export function scaledClock(base: Clock, setting: ClockSetting): Clock {
  const anchor = setting.anchor ?? base.now();
  return {
    now: () => Math.floor(setting.start + (base.now() - anchor) * setting.factor),
    sleep: (ms, signal) => base.sleep(ms / setting.factor, signal),
  };
}
