import { z } from "zod";

/**
 * The measurement catalogue: protocol-neutral names with unit, natural power-of-ten scaler and CIM ReadingType
 * (IEC 61968-9 annex C order; see docs/standards.md). Values are integers: `value × 10^scaler unit`.
 */
export const MEASUREMENTS = {
  "energy.active.import.total": { unit: "Wh", readingType: "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0", cumulative: true },
  "energy.active.export.total": { unit: "Wh", readingType: "0.0.0.1.19.1.12.0.0.0.0.0.0.0.0.3.72.0", cumulative: true },
  "energy.active.import.interval": {
    unit: "Wh",
    readingType: "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0",
    cumulative: false,
  },
  "energy.active.export.interval": {
    unit: "Wh",
    readingType: "0.0.2.4.19.1.12.0.0.0.0.0.0.0.0.3.72.0",
    cumulative: false,
  },
  "energy.reactive.import.total": {
    unit: "varh",
    readingType: "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.73.0",
    cumulative: true,
  },
  "demand.active.import.max": { unit: "W", readingType: "0.8.0.6.1.1.8.0.0.0.0.0.0.0.0.3.38.0", cumulative: false },
  "voltage.l1.line": { unit: "V", readingType: "0.0.0.12.0.1.54.0.0.0.0.0.0.0.128.0.29.0", cumulative: false },
  "voltage.l1.load": { unit: "V", readingType: "0.0.0.12.20.1.54.0.0.0.0.0.0.0.128.0.29.0", cumulative: false },
  "current.l1": { unit: "A", readingType: "0.0.0.12.0.1.4.0.0.0.0.0.0.0.128.0.5.0", cumulative: false },
  "volume.gas": { unit: "m3", readingType: "0.0.0.1.1.7.58.0.0.0.0.0.0.0.0.0.42.0", cumulative: true },
  "volume.water": { unit: "m3", readingType: "0.0.0.1.1.9.58.0.0.0.0.0.0.0.0.0.42.0", cumulative: true },
} as const satisfies Record<string, { unit: string; readingType: string; cumulative: boolean }>;

export type Measurement = keyof typeof MEASUREMENTS;
export const MEASUREMENT_NAMES = Object.keys(MEASUREMENTS) as readonly Measurement[];
export const MeasurementName = z.enum(MEASUREMENT_NAMES as [Measurement, ...Measurement[]]);
