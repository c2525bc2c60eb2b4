import { MEASUREMENTS, type Measurement } from "../metering/measurement.ts";
import { INTERVAL_STATUS } from "../metering/result.ts";
import { type BlockEntry, DAY_MS, type DayBlock, sameLayout, slotsOfDay } from "./day-block.ts";

/**
 * What validation says of an interval, a bit each, over all its channels. Nothing is dropped for it. `cim`: the reading
 * quality it is told as (IEC 61968-9, system.category.index; docs/standards.md); absent: it has none. Bits are stored:
 * append only.
 */
export const QUALITY = {
  /** A reading of a dial that is lower than the one before. */
  notMonotone: { bit: 0x01, cim: "2.6.0" },
  /** A dial that began again at zero from its last digit. */
  rollover: { bit: 0x02, cim: "1.4.1" },
  /** Far more than the meter otherwise counts. */
  spike: { bit: 0x04, cim: "2.5.256" },
  /** A negative consumption. */
  negative: { bit: 0x08, cim: "2.5.258" },
  /** Part of a day without any consumption. */
  zero: { bit: 0x10, cim: "2.6.1" },
  /** The meter's clock was off when it was read. */
  clockDrift: { bit: 0x20, cim: "2.1.9" },
  /** Shares time with another interval of the same channel set. */
  overlap: { bit: 0x40, cim: "2.5.258" },
  /** Another value was read for it before. */
  corrected: { bit: 0x80 },
  /** The dials of all channels fell to about nothing at once: another meter may hang there. */
  exchangeSuspected: { bit: 0x100, cim: "2.5.258" },
  /** Not, or not whole, of the time for which the meter hung at its service point. */
  meterExchange: { bit: 0x200 },
} as const satisfies Record<string, { readonly bit: number; readonly cim?: string }>;
export type QualityFlag = keyof typeof QUALITY;
const FLAGS = Object.entries(QUALITY) as [QualityFlag, { readonly bit: number }][];

export const qualityFlags = (quality: number): QualityFlag[] =>
  FLAGS.flatMap(([name, { bit }]) => ((quality & bit) === 0 ? [] : [name]));

/** What an entry brings along or keeps; the rest follows from the block and is worked out anew each time. */
const OWN = QUALITY.clockDrift.bit | QUALITY.corrected.bit | QUALITY.meterExchange.bit;

/** A clock is off by more than this, ms. */
export const DRIFT_MAX_MS = 60_000;
/** An interval is a spike when it counts so many times the day's median, and the median is something. */
const SPIKE_FACTOR = 50n;
/** Fewer intervals than this say nothing about a day. */
const ENOUGH = 12;
/** A dial that rolls over was in the last hundredth of its digits and is in the first one. */
const LAST_PART = 100n;

const rollsOver = (from: bigint, to: bigint): boolean => {
  let full = 10n;
  while (full <= from) full *= 10n;
  return from >= full - full / LAST_PART && to <= full / LAST_PART && full >= 1000n;
};

interface Step {
  readonly number: number;
  readonly used: bigint;
}

/** Where a day without any is worth a look: nobody feeds in without a generator. */
const isConsumption = (measurement: Measurement): boolean => /^(?:energy\.active\.import|volume)\./.test(measurement);

/** Marks of one channel by interval number. */
function marksOf(
  entries: readonly (readonly [number, BlockEntry])[],
  channel: number,
  measurement: Measurement,
): Map<number, number> {
  const { cumulative } = MEASUREMENTS[measurement];
  const marks = new Map<number, number>();
  const mark = (number: number, bit: number): void => void marks.set(number, (marks.get(number) ?? 0) | bit);
  const steps: Step[] = [];
  let last: { readonly number: number; readonly value: bigint } | undefined;
  for (const [number, { values, status }] of entries) {
    const value = values[channel];
    if (value === undefined) continue;
    if (!cumulative) {
      if (value < 0n) mark(number, QUALITY.negative.bit);
      steps.push({ number, used: value });
    } else if (last !== undefined) {
      if (value >= last.value) {
        // Over a gap the difference is of several intervals; after a power failure the next one is not like others.
        if (last.number === number - 1 && (status & INTERVAL_STATUS.powerDown) === 0)
          steps.push({ number, used: value - last.value });
      } else mark(number, rollsOver(last.value, value) ? QUALITY.rollover.bit : QUALITY.notMonotone.bit);
    }
    last = { number, value };
  }
  if (steps.length < ENOUGH) return marks;
  const sorted = steps.map(({ used }) => used).sort((left, right) => (left < right ? -1 : left > right ? 1 : 0));
  const median = sorted[sorted.length >> 1] ?? 0n;
  if (isConsumption(measurement) && sorted.at(-1) === 0n && sorted[0] === 0n)
    for (const { number } of steps) mark(number, QUALITY.zero.bit);
  if (median > 0n)
    for (const { number, used } of steps) if (used > median * SPIKE_FACTOR) mark(number, QUALITY.spike.bit);
  return marks;
}

/** The last interval of the day before; its number counts back from the first one of the day. */
export type Earlier = readonly [number: number, entry: BlockEntry];

/** Of the block of the day before, as far as its columns are the same; undefined: there is nothing to compare with. */
export function earlierOf(before: DayBlock | undefined, block: DayBlock): Earlier | undefined {
  if (before === undefined || before.day !== block.day - DAY_MS || !sameLayout(before, block)) return undefined;
  const last = Math.max(...before.entries.keys());
  const entry = before.entries.get(last);
  return entry === undefined ? undefined : [last - slotsOfDay(before.period), entry];
}

/**
 * The block with what validation says of each of its intervals. Pure, and the same for the same values: what an entry's
 * neighbours say is worked out anew, what it brought along stays. `earlier`: a dial goes on from the day before.
 */
export function assessed(block: DayBlock, earlier?: Earlier): DayBlock {
  const own = [...block.entries].sort(([left], [right]) => left - right);
  const sorted = earlier === undefined ? own : [earlier, ...own];
  const marks = block.channels.map(({ measurement }, channel) => marksOf(sorted, channel, measurement));
  const dials = marks.filter((_, channel) => {
    const measurement = block.channels[channel]?.measurement;
    return measurement !== undefined && MEASUREMENTS[measurement].cumulative;
  });
  const entries = new Map<number, BlockEntry>();
  for (const [number, entry] of own) {
    let quality = (entry.quality ?? 0) & OWN;
    for (const mark of marks) quality |= mark.get(number) ?? 0;
    const fell = dials.every((mark) => ((mark.get(number) ?? 0) & QUALITY.notMonotone.bit) !== 0);
    if (dials.length > 1 && fell && isSmall(entry, sorted, number)) quality |= QUALITY.exchangeSuspected.bit;
    entries.set(number, quality === (entry.quality ?? 0) ? entry : { ...entry, quality });
  }
  return { ...block, entries, side: block.side.map((entry) => overlapping(block, entries, entry)) };
}

/** The dials now show less than a hundredth of what they showed. */
function isSmall(entry: BlockEntry, sorted: readonly (readonly [number, BlockEntry])[], number: number): boolean {
  const before = sorted.findLast(([other]) => other < number)?.[1];
  return entry.values.every((value, channel) => {
    const was = before?.values[channel];
    return value === undefined || was === undefined || value * LAST_PART <= was;
  });
}

function overlapping<S extends DayBlock["side"][number]>(
  block: DayBlock,
  entries: ReadonlyMap<number, BlockEntry>,
  side: S,
): S {
  const periodMs = block.period * 1000;
  const first = Math.floor((side.start - block.day) / periodMs);
  const last = Math.ceil((side.end - block.day) / periodMs) - 1;
  let overlaps = block.side.some((other) => other !== side && other.start < side.end && side.start < other.end);
  for (let number = first; number <= last && !overlaps; number++) overlaps = entries.has(number);
  const quality = ((side.quality ?? 0) & OWN) | (overlaps ? QUALITY.overlap.bit : 0);
  return quality === (side.quality ?? 0) ? side : { ...side, quality };
}
