import { setTimeout as pause } from "node:timers/promises";
import type { Clock } from "../../shared/ports/clock.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import {
  type ClockSetting,
  formatClockSetting,
  parseClockSetting,
  scaledClock,
} from "../../shared/ports/scaled-clock.ts";

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    await pause(ms, undefined, signal === undefined ? {} : { signal });
  },
};

/** What `HEADRACE_CLOCK` says (`START[*FACTOR][@ANCHOR]`), anchored to this moment unless it already is. */
export function clockSettingFrom(env: Readonly<Record<string, string | undefined>>): ClockSetting | undefined {
  const text = env.HEADRACE_CLOCK;
  if (text === undefined || text === "") return undefined;
  const setting = parseClockSetting(text);
  if (setting === undefined)
    throw new HeadraceError(
      "clock.setting",
      `HEADRACE_CLOCK: expected START[*FACTOR] such as 2026-11-01T00:00:00Z*120, got ${JSON.stringify(text)}`,
      { retry: "never" },
    );
  return { ...setting, anchor: setting.anchor ?? Date.now() };
}

/** The clock of simulated meters and the local schedule. Queues, tokens, leases and time-outs keep `systemClock`. */
export function productClock(setting: ClockSetting | undefined): Clock {
  return setting === undefined ? systemClock : scaledClock(systemClock, setting);
}

/** The text for a child process's `HEADRACE_CLOCK`, so that parent and child show one time; undefined: real time. */
export const clockText = (setting: ClockSetting | undefined): string | undefined =>
  setting === undefined ? undefined : formatClockSetting(setting);
