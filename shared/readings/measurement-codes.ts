import type { Measurement } from "../metering/measurement.ts";
import { assert } from "../ports/errors.ts";

/** A stored number for each measurement: append only, never change or reuse one. */
const FIRST: readonly (readonly [Measurement, number])[] = [
  ["energy.active.import.total", 1],
  ["energy.active.export.total", 2],
  ["energy.active.import.interval", 3],
  ["energy.active.export.interval", 4],
  ["energy.reactive.import.total", 5],
  ["demand.active.import.max", 6],
  ["voltage.l1.line", 7],
  ["voltage.l1.load", 8],
  ["current.l1", 9],
  ["volume.gas", 10],
  ["volume.water", 11],
  ["energy.reactive.export.total", 12],
  ["energy.apparent.import.total", 13],
  ["energy.apparent.export.total", 14],
  ["energy.reactive.q1.total", 15],
  ["energy.reactive.q2.total", 16],
  ["energy.reactive.q3.total", 17],
  ["energy.reactive.q4.total", 18],
  ["energy.reactive.import.interval", 19],
  ["energy.reactive.export.interval", 20],
  ["energy.apparent.import.interval", 21],
  ["energy.apparent.export.interval", 22],
  ["energy.reactive.q1.interval", 23],
  ["energy.reactive.q2.interval", 24],
  ["energy.reactive.q3.interval", 25],
  ["energy.reactive.q4.interval", 26],
  ["demand.active.export.max", 27],
  ["demand.reactive.import.max", 28],
  ["demand.apparent.import.max", 29],
  ["voltage.l2.line", 30],
  ["voltage.l3.line", 31],
  ["voltage.l2.load", 32],
  ["voltage.l3.load", 33],
  ["voltage.l1.average", 34],
  ["voltage.l2.average", 35],
  ["voltage.l3.average", 36],
  ["current.l2", 37],
  ["current.l3", 38],
  ["current.neutral", 39],
  ["current.l1.average", 40],
  ["current.l2.average", 41],
  ["current.l3.average", 42],
  ["power.active.import.total", 43],
  ["power.active.import.l1", 44],
  ["power.active.import.l2", 45],
  ["power.active.import.l3", 46],
  ["power.active.export.total", 47],
  ["power.active.export.l1", 48],
  ["power.active.export.l2", 49],
  ["power.active.export.l3", 50],
  ["power.reactive.import.total", 51],
  ["power.reactive.export.total", 52],
  ["power.apparent.total", 53],
  ["power-factor.total", 54],
  ["power-factor.l1", 55],
  ["power-factor.l2", 56],
  ["power-factor.l3", 57],
  ["frequency", 58],
  ["volume.gas.corrected", 59],
  ["volume.heat", 60],
  ["energy.heat", 61],
  ["energy.cooling", 62],
  ["demand.reactive.export.max", 63],
  ["demand.apparent.export.max", 64],
];

/** Where the rates of a tariff begin: `<name>.tou.<n>` is the number here + n. Ten apart, so that a rate 9 would fit. */
const RATES: readonly (readonly [string, number])[] = [
  ["energy.active.import", 100],
  ["energy.active.export", 110],
  ["energy.reactive.import", 120],
  ["energy.reactive.export", 130],
  ["energy.apparent.import", 140],
  ["energy.apparent.export", 150],
  ["energy.reactive.q1", 160],
  ["energy.reactive.q2", 170],
  ["energy.reactive.q3", 180],
  ["energy.reactive.q4", 190],
  ["demand.active.import.max", 200],
  ["demand.active.export.max", 210],
  ["demand.reactive.import.max", 220],
  ["demand.apparent.import.max", 230],
  ["demand.reactive.export.max", 240],
  ["demand.apparent.export.max", 250],
];

const CODES = new Map<Measurement, number>([
  ...FIRST,
  ...RATES.flatMap(([name, base]) =>
    [1, 2, 3, 4, 5, 6, 7, 8].map((rate) => [`${name}.tou.${rate}` as Measurement, base + rate] as const),
  ),
]);
const NAMES = new Map([...CODES].map(([name, code]) => [code, name]));
assert(NAMES.size === CODES.size, "every measurement has a stored number of its own");

export function measurementCode(measurement: Measurement): number {
  const code = CODES.get(measurement);
  assert(code !== undefined, `${measurement} has a stored number`);
  return code;
}
/** Undefined: no measurement of this version of the product. */
export const measurementOf = (code: number): Measurement | undefined => NAMES.get(code);
