/**
 * The CIM ReadingType (IEC 61968-9, annex C): 18 numbers that say what a value is. The numbers are those of two public
 * enumerations that agree (docs/standards.md).
 */

/** Number 5, flowDirection. */
export const FLOW = { none: 0, forward: 1, quadrant1: 15, quadrant2: 16, quadrant3: 17, quadrant4: 18, reverse: 19 };
/** Number 6, commodity. */
export const COMMODITY = { electricity: 1, naturalGas: 7, potableWater: 9, heatingFluid: 12, coolingFluid: 13 };
/** Number 7, measurementKind. */
export const KIND = {
  current: 4,
  demand: 8,
  energy: 12,
  frequency: 15,
  power: 37,
  powerFactor: 38,
  temperature: 46,
  voltage: 54,
  volume: 58,
};
/** Number 15, phases: N is 16. */
export const PHASES = { none: 0, n: 16, l3: 32, l2: 64, l1: 128 };
/** Number 17, unit. */
export const READING_UNIT = {
  A: 5,
  "°C": 23,
  V: 29,
  Hz: 33,
  W: 38,
  m3: 42,
  VA: 61,
  var: 63,
  cosPhi: 65,
  VAh: 71,
  Wh: 72,
  varh: 73,
  m3Compensated: 167,
};
/** Number 4, accumulation. */
export const ACCUMULATION = { none: 0, bulkQuantity: 1, deltaData: 4, indicating: 6, summation: 9, instantaneous: 12 };
/** Number 2, dataQualifier. */
export const AGGREGATE = { none: 0, average: 2, maximum: 8 };
/** Number 3, measuringPeriod. */
export const PERIOD = { none: 0, fifteenMinutes: 2 };

/** Number 3 by seconds of the period. */
const PERIODS: ReadonlyMap<number, number> = new Map([
  [60, 3],
  [120, 10],
  [180, 14],
  [300, 6],
  [600, 1],
  [900, PERIOD.fifteenMinutes],
  [1200, 31],
  [1800, 5],
  [3600, 7],
  [86_400, 4],
]);

/** The same ReadingType of another period, seconds; one that has no number says none. */
export function ofPeriod(type: string, period: number): string {
  const numbers = type.split(".");
  numbers[2] = String(PERIODS.get(period) ?? PERIOD.none);
  return numbers.join(".");
}

export interface ReadingTypeParts {
  readonly aggregate?: number;
  readonly period?: number;
  readonly accumulation: number;
  readonly flow?: number;
  readonly commodity: number;
  readonly kind: number;
  /** Number 12: the tariff's rate. */
  readonly tou?: number;
  readonly phases?: number;
  /** Number 16: the power of ten of the unit. */
  readonly multiplier: number;
  readonly unit: number;
}

/** The 18 numbers with dots between them. */
export const readingType = (parts: ReadingTypeParts): string =>
  [
    0, // macroPeriod
    parts.aggregate ?? 0,
    parts.period ?? 0,
    parts.accumulation,
    parts.flow ?? 0,
    parts.commodity,
    parts.kind,
    0, // interharmonic
    0,
    0, // argument
    0,
    parts.tou ?? 0,
    0, // cpp
    0, // consumptionTier
    parts.phases ?? 0,
    parts.multiplier,
    parts.unit,
    0, // currency
  ].join(".");
