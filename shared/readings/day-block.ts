import type { Measurement } from "../metering/measurement.ts";
import type { IntervalChannel } from "../metering/result.ts";

export const DAY_MS = 86_400_000;

/** Who brought a value: the result batch (16 hex digits), and when the meter answered (clock ms). */
export interface Origin {
  readonly batch: string;
  readonly at: number;
}

/** One interval: a value a channel, undefined where the meter has none; status bits as `INTERVAL_STATUS`. */
export interface BlockEntry {
  readonly values: readonly (bigint | undefined)[];
  readonly status: number;
  /** What validation says: bits as `QUALITY`; absent: nothing. */
  readonly quality?: number;
  readonly origin: Origin;
}

/** An interval off the grid of the day, with its true start and end (clock ms). */
export interface SideEntry extends BlockEntry {
  readonly start: number;
  readonly end: number;
}

/** A register as it was read that day. */
export interface BlockRegister {
  readonly measurement: Measurement;
  readonly value: bigint;
  readonly scaler: number;
  /** When the meter captured it, clock ms; absent: when it was read (`origin.at`). */
  readonly at?: number;
  readonly origin: Origin;
}

/**
 * What is stored of one meter, channel set and UTC day. `entries`: interval number (0 is the first of the day) → entry;
 * an interval belongs to the day in which it begins. The registers that a session read beside the intervals are here
 * too, so that a polled read is one write.
 */
export interface DayBlock {
  /** Start of the UTC day, clock ms. */
  readonly day: number;
  /** Seconds; 0: registers only. */
  readonly period: number;
  readonly channels: readonly IntervalChannel[];
  readonly entries: ReadonlyMap<number, BlockEntry>;
  readonly side: readonly SideEntry[];
  readonly registers: readonly BlockRegister[];
}

export const emptyBlock = (day: number, period = 0, channels: readonly IntervalChannel[] = []): DayBlock => ({
  day,
  period,
  channels,
  entries: new Map(),
  side: [],
  registers: [],
});

/** Intervals of a day; 0: the period does not divide it, everything is off the grid. */
export const slotsOfDay = (period: number): number =>
  period > 0 && Number.isInteger(86_400 / period) ? 86_400 / period : 0;

/**
 * Intervals of a UTC day that a channel set is to have; 0: none. What a meter captures once a day it captures at its own
 * midnight, which is no instant of the grid.
 */
export const expectedSlots = (period: number): number => (period < 86_400 ? slotsOfDay(period) : 0);

/** Start of the UTC day in which the interval begins that ends at `end`. */
export const dayOfInterval = (end: number, period: number): number => dayOf(end - period * 1000);
export const dayOf = (instant: number): number => Math.floor(instant / DAY_MS) * DAY_MS;

/** Which interval of its day ends at `end`; undefined: off the grid. */
export function intervalNumber(day: number, period: number, end: number): number | undefined {
  const number = (end - day) / (period * 1000) - 1;
  return Number.isInteger(number) && number >= 0 && number < slotsOfDay(period) ? number : undefined;
}

export const intervalEnd = (day: number, period: number, number: number): number => day + (number + 1) * period * 1000;

/** Whether values of the two may stand in the same columns. */
export const sameLayout = (left: DayBlock, right: DayBlock): boolean =>
  left.period === right.period &&
  left.channels.length === right.channels.length &&
  left.channels.every((channel, index) => {
    const other = right.channels[index];
    return channel.measurement === other?.measurement && channel.scaler === other.scaler;
  });
