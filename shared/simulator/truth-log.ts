import type { Measurement } from "../metering/measurement.ts";
import { INTERVAL_STATUS } from "../metering/result.ts";
import type { LoadCurve } from "./load-model.ts";
import { lastStep, STEP_MS } from "./load-model.ts";
import { isSummer, type Zone } from "./zone.ts";

/** One register as the meter held it: `value × 10^scaler` of the measurement's unit. */
export interface ServedRegister {
  readonly measurement: Measurement;
  readonly value: bigint;
  readonly scaler: number;
  /** True time of the answer, clock milliseconds. */
  readonly servedAt: number;
  /** By the meter's clock: when the register took this value. */
  readonly capturedAt: number;
}

/** What a load profile held when it was asked for. */
export interface ServedProfile {
  readonly at: number;
  readonly firstEnd: number;
  readonly lastEnd: number;
}

/** One load profile as the meter held it. */
export interface TrueIntervalSet {
  readonly channelSet: string;
  /** Seconds. */
  readonly period: number;
  readonly channels: readonly { readonly measurement: Measurement; readonly scaler: number }[];
  readonly entries: readonly {
    readonly end: number;
    readonly values: readonly bigint[];
    /** `INTERVAL_STATUS` bits, as far as its columns tell them. */
    readonly status: number;
  }[];
}

/** Registers kept a meter; older ones are forgotten. */
const SERVED_MAX = 64;

/**
 * What a meter held when it was asked: written from the load model before anything is encoded, never from frames.
 */
export class TruthLog {
  readonly #served: ServedRegister[] = [];
  readonly #profiles = new Map<string, ServedProfile>();

  registerServed(register: ServedRegister): void {
    this.#served.push(register);
    if (this.#served.length > SERVED_MAX) this.#served.shift();
  }

  /** The ends of the first and last interval that were held when a load profile was last asked for. */
  profileServed(at: number, firstEnd: number, lastEnd: number, channelSet = ""): void {
    this.#profiles.set(channelSet, { at, firstEnd, lastEnd });
  }

  get served(): readonly ServedRegister[] {
    return this.#served;
  }

  lastProfileOf(channelSet: string): ServedProfile | undefined {
    return this.#profiles.get(channelSet);
  }

  /** Of a meter with one load profile without a name. */
  get lastProfile(): ServedProfile | undefined {
    return this.lastProfileOf("");
  }
}

/** One interval as the load model has it. `values`: Wh, import and export register at `end`. */
export interface TrueInterval {
  readonly end: number;
  readonly values: readonly [importWh: bigint, exportWh: bigint];
  /** `INTERVAL_STATUS` bits. */
  readonly status: number;
}

export const intervalStatus = (load: LoadCurve, zone: Zone, end: number): number =>
  (isSummer(zone, end) ? INTERVAL_STATUS.daylightSaving : 0) |
  (load.clockAdjustedBefore(end) ? INTERVAL_STATUS.clockAdjusted : 0);

/** The intervals whose end lies in (from, to], first to last. `happened`: further status bits. */
export function* trueIntervals(
  { load, zone }: { readonly load: LoadCurve; readonly zone: Zone },
  from: number,
  to: number,
  happened: (end: number) => number = () => 0,
): Generator<TrueInterval> {
  for (let end = lastStep(from) + STEP_MS; end <= to; end += STEP_MS) {
    const { importWh, exportWh } = load.energyAt(end);
    const status = intervalStatus(load, zone, end) | happened(end);
    yield { end, values: [BigInt(importWh), BigInt(exportWh)], status };
  }
}
