import { describe, expect, it } from "vitest";
import { MEASUREMENT_NAMES, MEASUREMENTS, type Measurement } from "./measurement.ts";

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
