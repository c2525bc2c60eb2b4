import type { C1222Profile } from "../metering/c1222-profile.ts";
import type { Measurement } from "../metering/measurement.ts";
import { assert } from "../ports/errors.ts";
import { lastStep } from "./load-model.ts";
import { lastHour, MbusChild } from "./mbus-child.ts";
import type { MeterState } from "./meter-state.ts";
import { quantityOf } from "./quantities.ts";

/** What a meter shows under a name at an instant of its clock: `value × 10^scaler`, and when the value arose. */
export interface Shown {
  readonly value: number;
  readonly scaler: number;
  readonly capturedAt: number;
}

/** `periodMs`: of the interval that ends at the instant. */
export type Measured = (measurement: Measurement, instant: number, periodMs: number) => Shown;

/** What a meter of this commodity measures. */
export function measuredBy(state: MeterState, { commodity }: C1222Profile, seed: number): Measured {
  if (commodity === "electric")
    return (measurement, instant, periodMs) => {
      const quantity = quantityOf(state, measurement);
      assert(quantity !== undefined, `the model measures ${measurement}`);
      const capturedAt = quantity.capturedAt?.(instant) ?? (quantity.momentary ? instant : lastStep(instant));
      return { value: quantity.at(instant, periodMs), scaler: quantity.scaler, capturedAt };
    };
  const meter = new MbusChild(seed, 1, commodity);
  return (_, instant) => ({ value: meter.litresAt(instant), scaler: -3, capturedAt: lastHour(instant) });
}

/** The value at another scaler: digits below it are cut off. */
export function atScaler({ value, scaler: own }: Shown, scaler: number): number {
  return scaler >= own ? Math.floor(value / 10 ** (scaler - own)) : value * 10 ** (own - scaler);
}
