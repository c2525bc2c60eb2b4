import type { DayBlock } from "../readings/day-block.ts";
import { slotsOfDay } from "../readings/day-block.ts";
import { priceAt, type Tariff } from "./tariff.ts";

/** What a UTC day's energy costs as far as its readings are there. */
export interface DayDue {
  /** Minor units, rounded once, half up. */
  readonly total: number;
  readonly wattHours: number;
  readonly intervals: number;
  /** Intervals between two readings of a gap: at the lowest price in it, until they are there. */
  readonly estimated: number;
}

const DIAL = "energy.active.import.total";
const INTERVAL = "energy.active.import.interval";
/** A reading older than this says nothing about a gap any more, ms. */
export const GAP_MAX_MS = 2 * 86_400_000;
/** Thousandths of a minor unit a kWh, times mWh, in a minor unit. */
const PER_MINOR = 1_000_000_000n;

const milliwattHours = (value: bigint, scaler: number): bigint =>
  scaler >= -3 ? value * 10n ** BigInt(scaler + 3) : value / 10n ** BigInt(-3 - scaler);

interface Series {
  readonly period: number;
  readonly isDial: boolean;
  /** End of an interval, clock ms → mWh. */
  readonly values: ReadonlyMap<number, bigint>;
}

/** The finest series of imported energy in the blocks of a meter. */
function seriesOf(blocks: readonly DayBlock[]): Series | undefined {
  const found = new Map<string, { period: number; isDial: boolean; values: Map<number, bigint> }>();
  for (const { day, period, channels, entries } of blocks) {
    if (period === 0 || period >= 86_400 || slotsOfDay(period) === 0) continue;
    for (const [index, { measurement, scaler }] of channels.entries()) {
      if (measurement !== DIAL && measurement !== INTERVAL) continue;
      const name = `${period}#${measurement}`;
      const series = found.get(name) ?? { period, isDial: measurement === DIAL, values: new Map<number, bigint>() };
      found.set(name, series);
      for (const [number, { values }] of entries) {
        const value = values[index];
        if (value !== undefined) series.values.set(day + (number + 1) * period * 1000, milliwattHours(value, scaler));
      }
    }
  }
  return [...found.values()].sort((left, right) => left.period - right.period || (left.isDial ? -1 : 1))[0];
}

/**
 * What the energy of a UTC day costs by the tariff, of the intervals that begin in [from, to), clock ms. `blocks`: of that
 * day and the days before it. An interval whose reading, or the one before it, is not there costs nothing yet; what lies
 * between two readings of a gap belongs to the day in which the gap ends. A dial that falls (another meter, a turn-over) costs
 * nothing. Undefined: there is nothing to be charged.
 */
export function dueOf(
  tariff: Tariff,
  day: number,
  blocks: readonly DayBlock[],
  { from, to }: { readonly from: number; readonly to: number },
): DayDue | undefined {
  const series = seriesOf(blocks);
  if (series === undefined) return undefined;
  const { period, isDial, values } = series;
  const step = period * 1000;
  let sum = 0n;
  let energy = 0n;
  let intervals = 0;
  let estimated = 0;
  const ends = Array.from({ length: slotsOfDay(period) }, (_, number) => day + (number + 1) * step);
  for (const end of ends) {
    const value = values.get(end);
    if (value === undefined || end - step < from || end > to) continue;
    let begun = end - step;
    let used = value;
    if (isDial) {
      while (begun >= from && end - begun <= GAP_MAX_MS && !values.has(begun)) begun -= step;
      const before = values.get(begun);
      if (before === undefined || begun < from || value < before) continue;
      used = value - before;
    }
    const covered = Math.round((end - begun) / step);
    let price: number | undefined;
    for (let at = begun; at < end; at += step) {
      const one = priceAt(tariff, at);
      if (one !== undefined && (price === undefined || one < price)) price = one;
    }
    if (price === undefined) continue;
    sum += used * BigInt(price);
    energy += used;
    intervals += covered;
    if (covered > 1) estimated += covered;
  }
  if (intervals === 0) return undefined;
  return {
    total: Number((sum + PER_MINOR / 2n) / PER_MINOR),
    wattHours: Number(energy / 1000n),
    intervals,
    estimated,
  };
}
