import { describe, expect, it } from "vitest";
import type { MeterTruth } from "../../shared/simulator/meter.ts";
import { compareMeter } from "./compare-with-truth.ts";

const T0 = Date.parse("2026-11-23T00:00:00Z");
const QUARTER = 900_000;
const range = { from: T0, to: T0 + 2 * QUARTER, clockFactor: 1 };
const iso = (ms: number) => new Date(ms).toISOString();
const at = range.to + 500;

const truth: MeterTruth = {
  meterId: "SIM-000001",
  registers: [
    { measurement: "energy.active.import.total", value: 120n, scaler: 0, servedAt: at, capturedAt: at },
    { measurement: "energy.active.export.total", value: 7n, scaler: 0, servedAt: at, capturedAt: at },
  ],
  intervals: [
    { end: T0 + QUARTER, values: [100n, 5n], status: 0 },
    { end: T0 + 2 * QUARTER, values: [110n, 6n], status: 0 },
  ],
};
const channel = (measurement: "energy.active.import.total" | "energy.active.export.total", scaler = 0) => ({
  measurement,
  unit: "Wh",
  scaler,
  readingType: "",
  cumulative: true,
});
type Stored = Parameters<typeof compareMeter>[0];
const entry = (end: number, values: (string | null)[]) => ({ end: iso(end), values, status: [], quality: [] });
const register = (
  measurement: "energy.active.import.total" | "energy.active.export.total",
  value: string,
  when = at,
) => ({
  measurement,
  unit: "Wh",
  value,
  scaler: 0,
  at: iso(when),
  readingType: "",
});
const ENTRIES = [entry(T0 + QUARTER, ["100", "5"]), entry(T0 + 2 * QUARTER, ["110", "6"])];
const REGISTERS = [register("energy.active.import.total", "120"), register("energy.active.export.total", "7")];
const stored = (entries = ENTRIES, registers = REGISTERS, scaler = 0): Stored => ({
  meterId: truth.meterId,
  asOf: iso(at),
  registers,
  snapshots: [],
  intervals: [
    {
      channelSet: "load",
      period: 900,
      channels: [channel("energy.active.import.total", scaler), channel("energy.active.export.total", scaler)],
      entries,
    },
  ],
});

const rows: readonly { name: string; stored: Stored; is: { readings: number; verified: number; missing: number } }[] = [
  { name: "everything as it was", stored: stored(), is: { readings: 6, verified: 6, missing: 0 } },
  {
    name: "one interval value wrong",
    stored: stored([entry(T0 + QUARTER, ["101", "5"]), entry(T0 + 2 * QUARTER, ["110", "6"])]),
    is: { readings: 6, verified: 5, missing: 0 },
  },
  { name: "another scaler", stored: stored(ENTRIES, REGISTERS, 1), is: { readings: 6, verified: 2, missing: 0 } },
  {
    name: "an interval that is not stored",
    stored: stored(ENTRIES.slice(1)),
    is: { readings: 4, verified: 4, missing: 2 },
  },
  {
    name: "an interval stored twice",
    stored: stored([...ENTRIES, ...ENTRIES.slice(1)]),
    is: { readings: 8, verified: 6, missing: 0 },
  },
  {
    name: "a register that is not stored",
    stored: stored(ENTRIES, REGISTERS.slice(1)),
    is: { readings: 5, verified: 5, missing: 1 },
  },
  {
    name: "a register with another value",
    stored: stored(ENTRIES, [register("energy.active.import.total", "121"), ...REGISTERS.slice(1)]),
    is: { readings: 6, verified: 5, missing: 0 },
  },
  {
    name: "a register of an earlier job",
    stored: stored(ENTRIES, [register("energy.active.import.total", "90", range.to - 60_000), ...REGISTERS]),
    is: { readings: 6, verified: 6, missing: 0 },
  },
];

describe("stored readings against the meters' own log", () => {
  it.each(rows)("$name", ({ stored: values, is }) => {
    expect(compareMeter(values, truth, range, true)).toMatchObject(is);
  });

  it("misses nothing of a meter whose task is not done", () => {
    expect(compareMeter(stored([], []), truth, range, false)).toMatchObject({ readings: 0, verified: 0, missing: 0 });
  });

  it("says which value of which meter differs", () => {
    const wrong = stored([entry(T0 + QUARTER, ["101", "5"])], []);
    expect(compareMeter(wrong, truth, range, false).differences).toEqual([
      `SIM-000001 energy.active.import.total at ${iso(T0 + QUARTER)}: stored 101, the meter held 100`,
    ]);
  });
});
