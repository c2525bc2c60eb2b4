import type { C1222LoadProfile, C1222Profile, C1222Register } from "../c1222-profile.ts";
import type { Measurement } from "../measurement.ts";

const register = (measurement: Measurement, element: string, total = false): C1222Register => ({
  measurement,
  table: 23,
  element,
  scaler: 0,
  total,
});
const peak = (measurement: Measurement, block: string, demand: number): C1222Register => ({
  ...register(measurement, `${block}.DEMANDS[${demand}].DEMAND[0]`),
  capturedAt: `${block}.DEMANDS[${demand}].EVENT_TIME[0]`,
});
const present = (measurement: Measurement, index: number, scaler: number): C1222Register => ({
  measurement,
  table: 28,
  element: `PRESENT_VALUE[${index}]`,
  scaler,
  total: false,
});
const tier = (rate: 1 | 2): readonly C1222Register[] => {
  const block = `TIER_DATA_BLOCK[${rate - 1}]`;
  return [
    register(`energy.active.import.tou.${rate}`, `${block}.SUMMATIONS[0]`),
    peak(`demand.active.import.max.tou.${rate}`, block, 0),
  ];
};
const channels = (measurements: readonly Measurement[], scaler: number): C1222LoadProfile["channels"] =>
  measurements.map((measurement, channel) => ({ measurement, channel, scaler }));

/**
 * A commercial three-phase demand meter behind transformers: ANSI C12.22 within sessions, registers by rate, demand with
 * reset, reactive and apparent energy, a quarter-hourly load profile of energies and an hourly one of voltages, which has
 * scalars.
 */
const COMMERCIAL: C1222Profile = {
  name: "commercial-us",
  version: 1,
  commodity: "electric",
  protocol: "c1222",
  c1222: {
    access: {
      callingApTitle: ".1.1",
      security: "ciphered",
      keyId: 1,
      recovery: { evidence: "unverified" },
      session: { userId: 2, user: "HEADEND", idleTimeout: 120 },
    },
    clock: 55,
    registers: [
      register("energy.active.import.total", "TOT_DATA_BLOCK.SUMMATIONS[0]", true),
      register("energy.active.export.total", "TOT_DATA_BLOCK.SUMMATIONS[1]", true),
      register("energy.reactive.import.total", "TOT_DATA_BLOCK.SUMMATIONS[2]"),
      register("energy.reactive.export.total", "TOT_DATA_BLOCK.SUMMATIONS[3]"),
      register("energy.apparent.import.total", "TOT_DATA_BLOCK.SUMMATIONS[4]"),
      peak("demand.active.import.max", "TOT_DATA_BLOCK", 0),
      peak("demand.apparent.import.max", "TOT_DATA_BLOCK", 1),
      ...tier(1),
      ...tier(2),
      present("voltage.l1.line", 0, -1),
      present("voltage.l2.line", 1, -1),
      present("voltage.l3.line", 2, -1),
      present("current.l1", 3, -2),
      present("power.active.import.total", 4, 0),
      present("power-factor.total", 5, -3),
    ],
    loadProfiles: [
      {
        channelSet: "load",
        set: 1,
        period: 900,
        channels: channels(
          [
            "energy.active.import.total",
            "energy.active.export.total",
            "energy.reactive.import.total",
            "energy.reactive.export.total",
          ],
          0,
        ),
      },
      {
        channelSet: "voltage",
        set: 2,
        period: 3600,
        channels: channels(["voltage.l1.average", "voltage.l2.average", "voltage.l3.average"], -1),
      },
    ],
    singleSourceTables: { tables: [76], evidence: "unverified" },
    layouts: {},
    logs: [
      {
        log: "events",
        table: 76,
        codes: { M4: "voltage.under-cleared", M5: "voltage.over", M6: "voltage.over-cleared" },
        evidence: "unverified",
      },
      { log: "history", table: 74, codes: {}, evidence: "verified" },
    ],
    clockSetting: { procedure: { number: 10, manufacturer: false }, toleranceMs: 2_000, evidence: "unverified" },
    billing: { tables: [25], evidence: "verified" },
    demandReset: {
      procedure: { number: 9, manufacturer: false },
      parameters: "01",
      counter: { table: 23, element: "NBR_DEMAND_RESETS", modulus: 256 },
      registers: ["demand.active.import.max", "demand.apparent.import.max"],
      evidence: "verified",
    },
  },
};

export const COMMERCIAL_US = [COMMERCIAL] as const;
