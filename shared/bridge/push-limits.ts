import type { Clock } from "../ports/clock.ts";

/** What one task does for whoever says that it is a meter. */
export interface PushLimits {
  /** Messages that are worked on at once: each costs look-ups and a verification. */
  readonly atOnce: number;
  /** Verified ones that wait for the results queue to take them. */
  readonly waiting: number;
  /** Messages a minute under one name: a stranger who says it must not keep the stores busy. */
  readonly perName: number;
  /** A meter is hinted at no more often, ms. */
  readonly hintMs: number;
  /** Hints a minute, of all meters: one in whose name somebody sends is read, no more. */
  readonly hints: number;
}

export const PUSH_LIMITS: PushLimits = { atOnce: 1_024, waiting: 20_000, perName: 60, hintMs: 900_000, hints: 100 };

const MINUTE_MS = 60_000;
const NAMES_MAX = 50_000;

export interface PushMinutes {
  /** False: too many in this minute under this name, or too many names. */
  mayAsk(name: string): boolean;
  mayHint(meterId: string): boolean;
}

/** Counts in minutes of the machine's clock. */
export function pushMinutes(clock: Pick<Clock, "now">, limits: PushLimits): PushMinutes {
  let [minute, hintMinute, hints] = [-1, -1, 0];
  const asked = new Map<string, number>();
  const hinted = new Map<string, number>();
  return {
    mayAsk(name) {
      const now = Math.floor(clock.now() / MINUTE_MS);
      if (now !== minute) asked.clear();
      minute = now;
      const times = (asked.get(name) ?? 0) + 1;
      if (times > 1 || asked.size < NAMES_MAX) asked.set(name, times);
      else return false;
      return times <= limits.perName;
    },
    mayHint(meterId) {
      const now = clock.now();
      const current = Math.floor(now / MINUTE_MS);
      if (current !== hintMinute) hints = 0;
      hintMinute = current;
      if (hints >= limits.hints) return false;
      const last = hinted.get(meterId);
      if (last !== undefined && now - last < limits.hintMs) return false;
      if (hinted.size >= NAMES_MAX) hinted.clear();
      hinted.set(meterId, now);
      hints++;
      return true;
    },
  };
}
