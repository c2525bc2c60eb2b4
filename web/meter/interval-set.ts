import type { Answer } from "../api/client.ts";

export type ApiReadings = Answer<"readReadings">;
export type IntervalSet = ApiReadings["intervals"][number];
export type IntervalChannel = IntervalSet["channels"][number];

/** One interval as it is shown: (end − period, end]. */
export interface ShownInterval {
  /** Clock milliseconds. */
  readonly end: number;
  /** Per channel: what was measured in the interval, as an integer of the channel's scaler; undefined: not known. */
  readonly amounts: readonly (bigint | undefined)[];
  /** Per channel: what the meter stored, as it came. */
  readonly values: readonly (string | null)[];
  /** What the meter says of it, and what validation does. */
  readonly status: readonly string[];
  readonly batch: string | undefined;
}

/** Intervals that nobody has, in one run. */
export interface Gap {
  /** End of the first one that is missing, and of the last; clock milliseconds. */
  readonly firstEnd: number;
  readonly lastEnd: number;
  readonly intervals: number;
}

export interface ShownSet {
  readonly intervals: readonly ShownInterval[];
  readonly gaps: readonly Gap[];
}

export interface Span {
  /** Clock milliseconds; intervals whose end lies in (from, to]. */
  readonly from: number;
  readonly to: number;
}

/**
 * The intervals of a span, oldest first, with what is missing between them and at both edges. Where a channel counts up
 * (`cumulative`), the amount is the difference to the entry exactly one period earlier, which may lie before the span;
 * without such an entry, or where the counter went back, it is not known.
 */
export function intervalsIn(set: IntervalSet, span: Span): ShownSet {
  const periodMs = set.period * 1000;
  const entries = set.entries.map((entry) => ({ ...entry, at: Date.parse(entry.end) })).sort((a, b) => a.at - b.at);
  const byEnd = new Map(entries.map((entry) => [entry.at, entry]));
  const shown = entries.filter(({ at }) => at > span.from && at <= span.to);

  const amountOf = (values: readonly (string | null)[], channel: number, at: number): bigint | undefined => {
    const value = values[channel];
    if (value === undefined || value === null) return undefined;
    if (set.channels[channel]?.cumulative !== true) return BigInt(value);
    const before = byEnd.get(at - periodMs)?.values[channel];
    if (before === undefined || before === null) return undefined;
    const amount = BigInt(value) - BigInt(before);
    return amount < 0n ? undefined : amount;
  };

  return {
    intervals: shown.map(({ at, values, status, quality, batch }) => ({
      end: at,
      amounts: set.channels.map((_, channel) => amountOf(values, channel, at)),
      values,
      status: [...status, ...quality],
      batch,
    })),
    gaps: gapsBetween(
      shown.map(({ at }) => at),
      periodMs,
      span,
    ),
  };
}

/** Runs of missing ends: multiples of the period between neighbours, from the span's start and to its end. */
export function gapsBetween(ends: readonly number[], periodMs: number, span: Span): readonly Gap[] {
  const gaps: Gap[] = [];
  // Period ends are counted from the epoch, as meters with periods of whole minutes do.
  const first = Math.floor(span.from / periodMs) * periodMs + periodMs;
  const last = Math.floor(span.to / periodMs) * periodMs;
  let expected = first;
  const missingUntil = (end: number) => {
    const intervals = Math.ceil((end - expected) / periodMs);
    if (intervals > 0) gaps.push({ firstEnd: expected, lastEnd: expected + (intervals - 1) * periodMs, intervals });
  };
  for (const end of ends) {
    missingUntil(end);
    expected = Math.max(expected, end + periodMs);
  }
  missingUntil(last + periodMs);
  return gaps;
}

/** Sum of a channel by hour: start of the hour (clock ms), amount of what is known, and how many intervals that is. */
export function hourSums(
  intervals: readonly ShownInterval[],
  channels: number,
): readonly { readonly start: number; readonly sums: readonly (bigint | undefined)[]; readonly intervals: number }[] {
  const hours = new Map<number, { sums: (bigint | undefined)[]; intervals: number }>();
  for (const { end, amounts } of intervals) {
    const start = Math.floor((end - 1) / 3_600_000) * 3_600_000;
    const hour = hours.get(start) ?? { sums: Array<bigint | undefined>(channels).fill(undefined), intervals: 0 };
    hours.set(start, hour);
    hour.intervals++;
    for (const [channel, amount] of amounts.entries())
      if (amount !== undefined) hour.sums[channel] = (hour.sums[channel] ?? 0n) + amount;
  }
  return [...hours].map(([start, hour]) => ({ start, ...hour }));
}

/** How many of a span's intervals each batch brought: where the data comes from. */
export function batchesOf(intervals: readonly ShownInterval[]): ReadonlyMap<string, number> {
  const batches = new Map<string, number>();
  for (const { batch } of intervals) if (batch !== undefined) batches.set(batch, (batches.get(batch) ?? 0) + 1);
  return batches;
}
