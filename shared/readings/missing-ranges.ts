import type { TimeRange } from "../metering/operation.ts";
import { intervalEnd } from "./day-block.ts";
import { hasInterval, type IntervalBits } from "./interval-bits.ts";
import type { MissingRecord } from "./missing-records.ts";

/**
 * What another read of a segment's UTC day has to ask of each slot: from the first to the last interval that is missing
 * and that the meter has not denied. A slot that is not named is read whole.
 */
export function missingRanges({ day, entries, counted }: MissingRecord): ReadonlyMap<number, TimeRange> {
  const whole = new Set(counted?.whole);
  const ranges = new Map<number, { from: number; to: number }>();
  for (const { slot, period, reason, bits } of entries) {
    if (period === 0 || reason === "not-held" || whole.has(slot)) continue;
    for (let number = 0; number < bits.length * 8; number++) {
      if (!hasInterval(bits as IntervalBits, number)) continue;
      const [from, to] = [intervalEnd(day, period, number - 1), intervalEnd(day, period, number)];
      const there = ranges.get(slot);
      ranges.set(slot, {
        from: Math.min(there?.from ?? from, from),
        to: Math.max(there?.to ?? to, to),
      });
    }
  }
  return ranges;
}
