import type { ChannelPlan } from "../metering/channel-plan.ts";
import { DAY_MS, expectedSlots } from "./day-block.ts";
import { type IntervalBits, intervalsWithin, isEmpty } from "./interval-bits.ts";

export interface Expected {
  readonly set: string;
  /** Seconds. */
  readonly period: number;
  readonly bits: IntervalBits;
  /** Entries that the meter keeps, where that is known. */
  readonly depth?: number | undefined;
}

/**
 * The intervals that are expected of one UTC day: those that lie whole within a part of the plan. A set whose period does
 * not divide the day, or is a day, has no numbered intervals and is not expected.
 */
export function expectedOn(plan: ChannelPlan, day: number): Expected[] {
  const expected: Expected[] = [];
  plan.forEach(({ from, sets }, index) => {
    const until = plan[index + 1]?.from ?? Number.POSITIVE_INFINITY;
    if (from >= day + DAY_MS || until <= day) return;
    for (const { set, period, depth } of sets) {
      const slots = expectedSlots(period);
      if (slots === 0) continue;
      // The first whole interval ends a period after the part begins.
      const start = Math.max(day, day + Math.ceil((from - day) / (period * 1000)) * period * 1000);
      const bits = intervalsWithin(day, period, slots, start, Math.min(until, day + DAY_MS));
      if (!isEmpty(bits)) expected.push({ set, period, bits, depth });
    }
  });
  return expected;
}
