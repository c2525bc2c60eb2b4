import type { Measurement } from "./measurement.ts";

/** A register value: `value × 10^scaler` of the measurement's unit. */
export interface RegisterValue {
  readonly measurement: Measurement;
  readonly value: bigint;
  readonly scaler: number;
  /** When the meter says it was captured, clock milliseconds; absent: when it was read. */
  readonly at?: number;
}

/** One interval of one channel; `end` is the end of the interval, UTC, clock milliseconds. */
export interface IntervalEntry {
  readonly end: number;
  /** One value a channel, in the channels' order; undefined where the meter has none. */
  readonly values: readonly (bigint | undefined)[];
  /** Neutral quality flags, a bit each: see `INTERVAL_STATUS`. */
  readonly status: number;
}

/** Interval status bits, protocol-neutral. */
export const INTERVAL_STATUS = {
  powerDown: 0x01,
  clockAdjusted: 0x02,
  clockInvalid: 0x04,
  criticalError: 0x08,
  daylightSaving: 0x10,
  dataInvalid: 0x20,
  /** The local time of the meter could not be resolved to one UTC instant. */
  timeAmbiguous: 0x40,
  partial: 0x80,
} as const;

export interface IntervalChannel {
  readonly measurement: Measurement;
  readonly scaler: number;
}

export interface IntervalSet {
  /** Names the channel set inside the meter: the profile's own, e.g. `load`. */
  readonly channelSet: string;
  /** Seconds. */
  readonly period: number;
  readonly channels: readonly IntervalChannel[];
  readonly entries: readonly IntervalEntry[];
}

/** What one operation on one meter brought; every driver answers in these words. */
export interface OperationResult {
  readonly registers: readonly RegisterValue[];
  readonly intervals: readonly IntervalSet[];
  /** `ping`: what answered. */
  readonly evidence?: readonly ("tcp-accept" | "module-answer" | "meter-answer")[];
  /** What the meter definitively refused, in the profile's words; the task is done all the same when it is a read. */
  readonly refusals: readonly { readonly item: string; readonly code: string }[];
  /** Meter clock minus ours, ms, where the session read it. */
  readonly clockOffsetMs?: number;
}
