import { describe, expect, it } from "vitest";
import { MEASUREMENT_NAMES } from "../metering/measurement.ts";
import { measurementCode } from "./measurement-codes.ts";

describe("the stored numbers of measurements", () => {
  it.each([
    ["energy.active.import.total", 1],
    ["volume.water", 11],
    ["frequency", 58],
    ["energy.cooling", 62],
    ["energy.active.import.tou.1", 101],
    ["energy.apparent.export.tou.8", 158],
    ["demand.apparent.import.max.tou.8", 238],
  ] as const)("keep %s at %i", (measurement, code) => {
    expect(measurementCode(measurement)).toBe(code);
  });

  it("are there for every measurement, each with its own", () => {
    const codes = MEASUREMENT_NAMES.map(measurementCode);
    expect(new Set(codes).size).toBe(MEASUREMENT_NAMES.length);
  });
});
