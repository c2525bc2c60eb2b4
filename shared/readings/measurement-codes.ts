import type { Measurement } from "../metering/measurement.ts";
import { assert } from "../ports/errors.ts";

/** A stored number for each measurement: append only, never change or reuse one. */
const CODES: Readonly<Record<Measurement, number>> = {
  "energy.active.import.total": 1,
  "energy.active.export.total": 2,
  "energy.active.import.interval": 3,
  "energy.active.export.interval": 4,
  "energy.reactive.import.total": 5,
  "demand.active.import.max": 6,
  "voltage.l1.line": 7,
  "voltage.l1.load": 8,
  "current.l1": 9,
  "volume.gas": 10,
  "volume.water": 11,
};

const NAMES = new Map(Object.entries(CODES).map(([name, code]) => [code, name as Measurement]));
assert(NAMES.size === Object.keys(CODES).length, "every measurement has a stored number of its own");

export const measurementCode = (measurement: Measurement): number => CODES[measurement];
/** Undefined: no measurement of this version of the product. */
export const measurementOf = (code: number): Measurement | undefined => NAMES.get(code);
