import type { Measurement } from "../../metering/measurement.ts";
import type { LogicalName } from "../logical-name.ts";

type Rate = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;
const RATES: readonly Rate[] = [1, 2, 3, 4, 5, 6, 7, 8];

/** Value groups A.C.D.E of the Blue Book's OBIS codes, and the measurement of the catalogue that stands there. */
const byGroups = new Map<string, Measurement>();
const add = (groups: string, measurement: Measurement) => byGroups.set(groups, measurement);

for (const [c, name] of [
  [1, "active.import"],
  [2, "active.export"],
  [3, "reactive.import"],
  [4, "reactive.export"],
  [5, "reactive.q1"],
  [6, "reactive.q2"],
  [7, "reactive.q3"],
  [8, "reactive.q4"],
  [9, "apparent.import"],
  [10, "apparent.export"],
] as const) {
  add(`1.${c}.8.0`, `energy.${name}.total`);
  add(`1.${c}.29.0`, `energy.${name}.interval`);
  for (const rate of RATES) add(`1.${c}.8.${rate}`, `energy.${name}.tou.${rate}`);
}
for (const [c, name] of [
  [1, "active.import"],
  [2, "active.export"],
  [3, "reactive.import"],
  [9, "apparent.import"],
] as const) {
  add(`1.${c}.6.0`, `demand.${name}.max`);
  for (const rate of RATES) add(`1.${c}.6.${rate}`, `demand.${name}.max.tou.${rate}`);
}
add("1.1.7.0", "power.active.import.total");
add("1.2.7.0", "power.active.export.total");
add("1.3.7.0", "power.reactive.import.total");
add("1.4.7.0", "power.reactive.export.total");
add("1.9.7.0", "power.apparent.total");
add("1.13.7.0", "power-factor.total");
add("1.14.7.0", "frequency");
add("1.91.7.0", "current.neutral");
for (const [phase, tens] of [
  ["l1", 20],
  ["l2", 40],
  ["l3", 60],
] as const) {
  add(`1.${tens + 1}.7.0`, `power.active.import.${phase}`);
  add(`1.${tens + 2}.7.0`, `power.active.export.${phase}`);
  add(`1.${tens + 11}.7.0`, `current.${phase}`);
  add(`1.${tens + 12}.7.0`, `voltage.${phase}.line`);
  add(`1.${tens + 13}.7.0`, `power-factor.${phase}`);
  // 24 average 1, 27 current average 5: both are means over a period.
  for (const d of [24, 27]) {
    add(`1.${tens + 11}.${d}.0`, `current.${phase}.average`);
    add(`1.${tens + 12}.${d}.0`, `voltage.${phase}.average`);
  }
}
add("5.1.0.0", "energy.cooling");
add("6.1.0.0", "energy.heat");
add("6.2.0.0", "volume.heat");
add("7.3.0.0", "volume.gas");
add("8.1.0.0", "volume.water");

/** What a register of this logical name measures; undefined: nothing that the catalogue has, or a past period. */
export function measurementOf(logicalName: LogicalName): Measurement | undefined {
  const [a, , c, d, e, f] = logicalName.split(".");
  return f === "255" ? byGroups.get(`${a}.${c}.${d}.${e}`) : undefined;
}

/** M-Bus device types (EN 13757-3) of gas, water and heat meters, and what their first value may measure, by its unit. */
const DEVICES: Readonly<Record<number, readonly Measurement[]>> = {
  3: ["volume.gas"],
  4: ["energy.heat", "volume.heat"],
  10: ["energy.cooling"],
  12: ["energy.heat", "volume.heat"],
  6: ["volume.water"],
  7: ["volume.water"],
  21: ["volume.water"],
  22: ["volume.water"],
};
/** What an M-Bus device of this type may measure, likeliest first. */
export const measurementsOfDevice = (deviceType: number): readonly Measurement[] => DEVICES[deviceType] ?? [];
