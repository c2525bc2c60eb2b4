import { describe, expect, it } from "vitest";
import { channelReadingType, MEASUREMENT_NAMES, MEASUREMENTS, type Measurement } from "./measurement.ts";

describe("the measurement catalogue", () => {
  it.each([
    // Register types of a published metering system, by their OBIS codes.
    ["energy.active.import.total", "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"],
    ["energy.active.export.total", "0.0.0.1.19.1.12.0.0.0.0.0.0.0.0.3.72.0"],
    ["energy.active.import.interval", "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"],
    ["energy.active.export.interval", "0.0.2.4.19.1.12.0.0.0.0.0.0.0.0.3.72.0"],
    ["volume.gas", "0.0.0.1.1.7.58.0.0.0.0.0.0.0.0.0.42.0"],
    ["volume.gas.corrected", "0.0.0.1.1.7.58.0.0.0.0.0.0.0.0.0.167.0"],
    ["volume.water", "0.0.0.1.1.9.58.0.0.0.0.0.0.0.0.0.42.0"],
    // A published meter dashboard.
    ["voltage.l1.line", "0.0.0.12.0.1.54.0.0.0.0.0.0.0.128.0.29.0"],
    ["voltage.l2.line", "0.0.0.12.0.1.54.0.0.0.0.0.0.0.64.0.29.0"],
  ] as const)("says %s with the ReadingType that public systems use", (measurement, readingType) => {
    expect(MEASUREMENTS[measurement].readingType).toBe(readingType);
  });

  it("puts the rate of a tariff into the twelfth number", () => {
    expect(MEASUREMENTS["energy.active.import.tou.2"].readingType).toBe("0.0.0.9.1.1.12.0.0.0.0.2.0.0.0.3.72.0");
    expect(MEASUREMENTS["demand.active.import.max.tou.1"].readingType).toBe("0.8.0.6.1.1.8.0.0.0.0.1.0.0.0.3.38.0");
  });

  it.each([
    ["energy.active.import.interval", 300, "0.0.6.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"],
    ["energy.active.import.interval", 900, "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"],
    ["energy.active.import.interval", 1800, "0.0.5.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"],
    ["energy.active.import.interval", 3600, "0.0.7.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"],
    ["energy.active.import.interval", 777, "0.0.0.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"],
    ["voltage.l1.average", 3600, "0.2.7.12.0.1.54.0.0.0.0.0.0.0.128.0.29.0"],
    ["energy.active.import.total", 3600, MEASUREMENTS["energy.active.import.total"].readingType],
  ] as const)("of %s in a channel of %i s names its period where it is of one", (measurement, period, readingType) => {
    expect(channelReadingType(measurement, period)).toBe(readingType);
  });

  it("has all that is billed: energies by direction and rate, peaks by rate, volumes, each whole and well formed", () => {
    const rates = [1, 2, 3, 4, 5, 6, 7, 8];
    const wanted = [
      ...["active.import", "active.export", "reactive.import", "reactive.export", "apparent.import", "apparent.export"],
      ...["reactive.q1", "reactive.q2", "reactive.q3", "reactive.q4"],
    ].flatMap((energy) => [
      `energy.${energy}.total`,
      `energy.${energy}.interval`,
      ...rates.map((rate) => `energy.${energy}.tou.${rate}`),
    ]);
    for (const demand of ["active", "reactive", "apparent"].flatMap((kind) => [`${kind}.import`, `${kind}.export`]))
      wanted.push(`demand.${demand}.max`, ...rates.map((rate) => `demand.${demand}.max.tou.${rate}`));
    wanted.push("volume.gas", "volume.gas.corrected", "volume.water");
    for (const name of wanted) {
      expect(MEASUREMENT_NAMES).toContain(name);
      expect(MEASUREMENTS[name as Measurement].readingType).toMatch(/^(?:\d{1,3}\.){17}\d{1,3}$/);
    }
  });

  it("shows each value at the multiplier of its ReadingType", () => {
    for (const name of MEASUREMENT_NAMES) {
      const { readingType, naturalScaler } = MEASUREMENTS[name];
      const numbers = readingType.split(".");
      expect(numbers).toHaveLength(18);
      expect(Number(numbers[15])).toBe(naturalScaler);
    }
  });

  it("gives every measurement a ReadingType of its own", () => {
    const types = MEASUREMENT_NAMES.map((name) => MEASUREMENTS[name].readingType);
    expect(new Set(types).size).toBe(MEASUREMENT_NAMES.length);
  });

  it("tells what only rises from what moves", () => {
    const cumulative = (name: Measurement): boolean => MEASUREMENTS[name].cumulative;
    expect(cumulative("energy.apparent.import.tou.8")).toBe(true);
    expect(cumulative("volume.gas.corrected")).toBe(true);
    expect(cumulative("energy.active.import.interval")).toBe(false);
    expect(cumulative("demand.apparent.import.max")).toBe(false);
  });
});
