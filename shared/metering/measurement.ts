import { z } from "zod";
import {
  ACCUMULATION,
  AGGREGATE,
  COMMODITY,
  FLOW,
  KIND,
  ofPeriod,
  PERIOD,
  PHASES,
  READING_UNIT,
  type ReadingTypeParts,
  readingType,
} from "./reading-type.ts";

/** Values are integers: `value × 10^scaler unit`, at whatever scaler the meter has. */
export interface MeasurementDefinition {
  readonly unit: string;
  /** Power of ten of the unit in which the value is shown and exchanged: 3 for kWh. It is the ReadingType's multiplier. */
  readonly naturalScaler: number;
  /** CIM ReadingType: see docs/standards.md for which codes a public source confirms. */
  readonly readingType: string;
  /** Only rises, but for a turn-over or another meter: a difference of two values is a consumption. */
  readonly cumulative: boolean;
}

type Rate = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;
const RATES: readonly Rate[] = [1, 2, 3, 4, 5, 6, 7, 8];

const defined = (unit: string, cumulative: boolean, parts: ReadingTypeParts): MeasurementDefinition => ({
  unit,
  naturalScaler: parts.multiplier,
  readingType: readingType(parts),
  cumulative,
});

/** Total, interval and the rates 1 to 8 of one energy; `accumulation` of rates as public examples have it. */
function energy<N extends string>(
  name: N,
  unit: "Wh" | "varh" | "VAh",
  flow: number,
): Readonly<Record<`${N}.total` | `${N}.interval` | `${N}.tou.${Rate}`, MeasurementDefinition>> {
  const parts = { flow, commodity: COMMODITY.electricity, kind: KIND.energy, multiplier: 3, unit: READING_UNIT[unit] };
  const found: Record<string, MeasurementDefinition> = {
    [`${name}.total`]: defined(unit, true, { ...parts, accumulation: ACCUMULATION.bulkQuantity }),
    [`${name}.interval`]: defined(unit, false, {
      ...parts,
      period: PERIOD.fifteenMinutes,
      accumulation: ACCUMULATION.deltaData,
    }),
  };
  for (const tou of RATES)
    found[`${name}.tou.${tou}`] = defined(unit, true, { ...parts, accumulation: ACCUMULATION.summation, tou });
  return found as never;
}

/** The largest demand since the last reset, in total and by rate. */
function demand<N extends string>(
  name: N,
  unit: "W" | "var" | "VA",
  flow: number,
): Readonly<Record<`${N}.max` | `${N}.max.tou.${Rate}`, MeasurementDefinition>> {
  const parts = {
    aggregate: AGGREGATE.maximum,
    accumulation: ACCUMULATION.indicating,
    flow,
    commodity: COMMODITY.electricity,
    kind: KIND.demand,
    multiplier: 3,
    unit: READING_UNIT[unit],
  };
  const found: Record<string, MeasurementDefinition> = { [`${name}.max`]: defined(unit, false, parts) };
  for (const tou of RATES) found[`${name}.max.tou.${tou}`] = defined(unit, false, { ...parts, tou });
  return found as never;
}

type InstantaneousUnit = "W" | "var" | "VA" | "V" | "A" | "Hz" | "cosPhi";
interface Instantaneous {
  readonly kind: number;
  readonly unit: InstantaneousUnit;
  readonly flow?: number;
  readonly phases?: number;
  readonly aggregate?: number;
  readonly multiplier?: number;
}
/** A momentary value, or its mean over a load profile's period. */
const momentary = ({ unit, multiplier = 0, ...parts }: Instantaneous): MeasurementDefinition =>
  defined(unit === "cosPhi" ? "1" : unit, false, {
    accumulation: ACCUMULATION.instantaneous,
    commodity: COMMODITY.electricity,
    unit: READING_UNIT[unit],
    multiplier,
    ...parts,
  });

/** Voltage, current and power of one phase. */
function phase<P extends "l1" | "l2" | "l3">(
  name: P,
): Readonly<
  Record<
    | `voltage.${P}.line`
    | `voltage.${P}.load`
    | `voltage.${P}.average`
    | `current.${P}`
    | `current.${P}.average`
    | `power.active.import.${P}`
    | `power.active.export.${P}`
    | `power-factor.${P}`,
    MeasurementDefinition
  >
> {
  const phases = PHASES[name];
  const voltage = { kind: KIND.voltage, unit: "V", phases } as const;
  const current = { kind: KIND.current, unit: "A", phases } as const;
  const power = { kind: KIND.power, unit: "W", phases, multiplier: 3 } as const;
  return {
    [`voltage.${name}.line`]: momentary(voltage),
    // Number 5, "total", tells the load side from the line side: a convention of our own.
    [`voltage.${name}.load`]: momentary({ ...voltage, flow: 20 }),
    [`voltage.${name}.average`]: momentary({ ...voltage, aggregate: AGGREGATE.average }),
    [`current.${name}`]: momentary(current),
    [`current.${name}.average`]: momentary({ ...current, aggregate: AGGREGATE.average }),
    [`power.active.import.${name}`]: momentary({ ...power, flow: FLOW.forward }),
    [`power.active.export.${name}`]: momentary({ ...power, flow: FLOW.reverse }),
    [`power-factor.${name}`]: momentary({ kind: KIND.powerFactor, unit: "cosPhi", phases }),
  } as never;
}

const volume = (commodity: number, unit: "m3" | "m3Compensated" = "m3"): MeasurementDefinition =>
  defined("m3", true, {
    accumulation: ACCUMULATION.bulkQuantity,
    flow: FLOW.forward,
    commodity,
    kind: KIND.volume,
    multiplier: 0,
    unit: READING_UNIT[unit],
  });
const thermalEnergy = (commodity: number): MeasurementDefinition =>
  defined("Wh", true, {
    accumulation: ACCUMULATION.bulkQuantity,
    flow: FLOW.forward,
    commodity,
    kind: KIND.energy,
    multiplier: 3,
    unit: READING_UNIT.Wh,
  });

/** The measurement catalogue: protocol-neutral names of what a meter may hold. Names are stored: append, never rename. */
export const MEASUREMENTS = {
  ...energy("energy.active.import", "Wh", FLOW.forward),
  ...energy("energy.active.export", "Wh", FLOW.reverse),
  ...energy("energy.reactive.import", "varh", FLOW.forward),
  ...energy("energy.reactive.export", "varh", FLOW.reverse),
  ...energy("energy.apparent.import", "VAh", FLOW.forward),
  ...energy("energy.apparent.export", "VAh", FLOW.reverse),
  ...energy("energy.reactive.q1", "varh", FLOW.quadrant1),
  ...energy("energy.reactive.q2", "varh", FLOW.quadrant2),
  ...energy("energy.reactive.q3", "varh", FLOW.quadrant3),
  ...energy("energy.reactive.q4", "varh", FLOW.quadrant4),
  ...demand("demand.active.import", "W", FLOW.forward),
  ...demand("demand.active.export", "W", FLOW.reverse),
  ...demand("demand.reactive.import", "var", FLOW.forward),
  ...demand("demand.reactive.export", "var", FLOW.reverse),
  ...demand("demand.apparent.import", "VA", FLOW.forward),
  ...demand("demand.apparent.export", "VA", FLOW.reverse),
  ...phase("l1"),
  ...phase("l2"),
  ...phase("l3"),
  "current.neutral": momentary({ kind: KIND.current, unit: "A", phases: PHASES.n }),
  "power.active.import.total": momentary({ kind: KIND.power, unit: "W", flow: FLOW.forward, multiplier: 3 }),
  "power.active.export.total": momentary({ kind: KIND.power, unit: "W", flow: FLOW.reverse, multiplier: 3 }),
  "power.reactive.import.total": momentary({ kind: KIND.power, unit: "var", flow: FLOW.forward, multiplier: 3 }),
  "power.reactive.export.total": momentary({ kind: KIND.power, unit: "var", flow: FLOW.reverse, multiplier: 3 }),
  "power.apparent.total": momentary({ kind: KIND.power, unit: "VA", multiplier: 3 }),
  "power-factor.total": momentary({ kind: KIND.powerFactor, unit: "cosPhi" }),
  frequency: momentary({ kind: KIND.frequency, unit: "Hz" }),
  /** As the meter counts it, at the conditions of the pipe. */
  "volume.gas": volume(COMMODITY.naturalGas),
  /** Converted to base conditions. */
  "volume.gas.corrected": volume(COMMODITY.naturalGas, "m3Compensated"),
  "volume.water": volume(COMMODITY.potableWater),
  "volume.heat": volume(COMMODITY.heatingFluid),
  "energy.heat": thermalEnergy(COMMODITY.heatingFluid),
  "energy.cooling": thermalEnergy(COMMODITY.coolingFluid),
} as const satisfies Record<string, MeasurementDefinition>;

export type Measurement = keyof typeof MEASUREMENTS;
export const MEASUREMENT_NAMES = Object.keys(MEASUREMENTS) as readonly Measurement[];
export const MeasurementName = z.enum(MEASUREMENT_NAMES as [Measurement, ...Measurement[]]);

/**
 * The ReadingType of a load profile's channel, `period` in seconds: what is counted or averaged over an interval names it;
 * a dial, or a momentary value, as it stood at the interval's end does not.
 */
export const channelReadingType = (measurement: Measurement, period: number): string =>
  /\.(?:interval|average)$/.test(measurement)
    ? ofPeriod(MEASUREMENTS[measurement].readingType, period)
    : MEASUREMENTS[measurement].readingType;
