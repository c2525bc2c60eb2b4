import type { Measurement } from "../metering/measurement.ts";
import type { Place } from "../metering/meter.ts";
import type { IntervalChannel, SnapshotKind } from "../metering/result.ts";
import { type DayBlocks, REGISTERS_SET, snapshotOf } from "./blocks.ts";
import { type BlockRegister, DAY_MS, intervalEnd } from "./day-block.ts";
import { decodeDayBlock } from "./day-block-codec.ts";

/** A stored register: `value × 10^scaler` of the measurement's unit. Instants are clock ms. */
export interface StoredRegister {
  readonly measurement: Measurement;
  readonly value: bigint;
  readonly scaler: number;
  /** When the meter captured it; else when it was read. */
  readonly at: number;
  readonly readAt: number;
  /** Reference of its result batch, 16 hex digits. */
  readonly batch: string;
}

export interface StoredInterval {
  readonly start: number;
  readonly end: number;
  /** One a channel, in the channels' order. */
  readonly values: readonly (bigint | undefined)[];
  /** Bits as `INTERVAL_STATUS`. */
  readonly status: number;
  /** Bits as `QUALITY`. */
  readonly quality: number;
  readonly batch: string;
  readonly readAt: number;
}

export interface StoredIntervals {
  readonly channelSet: string;
  /** Seconds. */
  readonly period: number;
  readonly channels: readonly IntervalChannel[];
  /** By end, ascending. */
  readonly entries: readonly StoredInterval[];
}

/** Registers as they stood when something ended. */
export interface StoredSnapshot {
  readonly kind: SnapshotKind;
  readonly at: number;
  /** Each one's `at`: of a demand, when its peak was; else that of the snapshot. */
  readonly registers: readonly StoredRegister[];
}

export interface MeterReadings {
  /** By time, then measurement. */
  readonly registers: readonly StoredRegister[];
  /** By time. */
  readonly snapshots: readonly StoredSnapshot[];
  /** One for each channel set and layout. */
  readonly intervals: readonly StoredIntervals[];
}

/**
 * What is stored of a meter: intervals whose end lies in (from, to], registers captured or read there, snapshots taken
 * there; clock ms.
 */
export async function readReadings(
  ports: { readonly blocks: Pick<DayBlocks, "ofMeter"> },
  place: Place,
  from: number,
  to: number,
): Promise<MeterReadings> {
  const within = (instant: number): boolean => instant > from && instant <= to;
  const registers: StoredRegister[] = [];
  const snapshots: StoredSnapshot[] = [];
  const sets = new Map<
    string,
    { readonly head: Omit<StoredIntervals, "entries">; readonly entries: StoredInterval[] }
  >();
  // An interval that ends at the very start of a day, or lasts longer than one, lies in a day before it.
  for (const { key, octets } of await ports.blocks.ofMeter(place, from - DAY_MS, to)) {
    const block = decodeDayBlock(key.day, octets);
    const snapshot = snapshotOf(key.set, key.day);
    if (snapshot !== undefined) {
      if (within(snapshot.at)) snapshots.push({ ...snapshot, registers: block.registers.map(storedRegister) });
      continue;
    }
    for (const register of block.registers)
      if (within(register.origin.at) || (register.at !== undefined && within(register.at)))
        registers.push(storedRegister(register));
    if (key.set === REGISTERS_SET || block.period === 0) continue;
    const head = { channelSet: key.set.split("~")[0] ?? key.set, period: block.period, channels: block.channels };
    const layout = JSON.stringify(head);
    const { entries } = sets.get(layout) ?? { entries: [] as StoredInterval[] };
    sets.set(layout, { head, entries });
    for (const [number, { origin, values, status, quality = 0 }] of block.entries) {
      const end = intervalEnd(block.day, block.period, number);
      const start = end - block.period * 1000;
      if (within(end)) entries.push({ start, end, values, status, quality, batch: origin.batch, readAt: origin.at });
    }
    for (const { origin, start, end, values, status, quality = 0 } of block.side)
      if (within(end)) entries.push({ start, end, values, status, quality, batch: origin.batch, readAt: origin.at });
  }
  registers.sort((left, right) => left.at - right.at || (left.measurement < right.measurement ? -1 : 1));
  snapshots.sort((left, right) => left.at - right.at);
  return {
    registers,
    snapshots,
    intervals: [...sets.values()]
      .map(({ head, entries }) => ({ ...head, entries: entries.sort((left, right) => left.end - right.end) }))
      .filter(({ entries }) => entries.length > 0),
  };
}

const storedRegister = ({ origin, at, ...register }: BlockRegister): StoredRegister => ({
  ...register,
  at: at ?? origin.at,
  readAt: origin.at,
  batch: origin.batch,
});
