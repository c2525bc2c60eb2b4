import type { Clock } from "../ports/clock.ts";

/** A look at a table that takes longer than this, ms, is slow: a calm table answers in a tenth of it. */
const SLOW_MS = 50;
/** The bound falls so often at most, ms, and rises: what was changed must have shown first. */
const FALL_MS = 250;
const RISE_MS = 1_000;
/** So long after the last order's look nobody waits any more, ms. */
const FORGET_MS = 5_000;
/** So many sessions of the lower lanes always go on. */
const LEAST = 2;

/**
 * Lower lanes make way for orders. While the looks of orders at tables are slow, whatever is full then (this task, the
 * tables, a machine that they share), bulk and images have fewer sessions: half as many at each step, and a quarter more
 * again once looks are no longer slow. Without orders they are not bounded.
 */
export interface Yielding {
  /** A look of an order took so long, ms. */
  took(ms: number): void;
  /** Most sessions that bulk and images may have together now; `used`: how many they have. */
  most(used: number): number;
}

export function yielding(clock: Pick<Clock, "now">): Yielding {
  let most = Number.POSITIVE_INFINITY;
  let changedAt = Number.NEGATIVE_INFINITY;
  let lookedAt = Number.NEGATIVE_INFINITY;
  /** Of the looks since the bound was changed; undefined: there were none. */
  let slow: boolean | undefined;
  return {
    took(ms) {
      lookedAt = clock.now();
      slow = slow === true || ms > SLOW_MS;
    },
    most(used) {
      const at = clock.now();
      if (at - lookedAt > FORGET_MS) most = Number.POSITIVE_INFINITY;
      if (slow === undefined || at - changedAt < (slow ? FALL_MS : RISE_MS)) return most;
      most = slow ? Math.max(LEAST, Math.floor(Math.min(most, used) / 2)) : most + Math.max(1, Math.floor(most / 4));
      changedAt = at;
      slow = undefined;
      return most;
    },
  };
}
