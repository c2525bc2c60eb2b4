import type { C1222Profile } from "../c1222-profile.ts";

/**
 * A generic North American residential electricity meter with a switch: ANSI C12.22 without sessions, enciphered under
 * key 1, one 15-minute load profile of delivered and received dial readings. Where its tables rest on a layout that one
 * source alone tells, it says so (docs/standards.md).
 */
const CIPHERED: C1222Profile = {
  name: "generic-us",
  version: 1,
  commodity: "electric",
  protocol: "c1222",
  c1222: {
    access: { callingApTitle: ".1.1", security: "ciphered", keyId: 1 },
    clock: 52,
    registers: [
      {
        measurement: "energy.active.import.total",
        table: 23,
        element: "TOT_DATA_BLOCK.SUMMATIONS[0]",
        scaler: 0,
        total: true,
      },
      {
        measurement: "energy.active.export.total",
        table: 23,
        element: "TOT_DATA_BLOCK.SUMMATIONS[1]",
        scaler: 0,
        total: true,
      },
      {
        measurement: "demand.active.import.max",
        table: 23,
        element: "TOT_DATA_BLOCK.DEMANDS[0].DEMAND[0]",
        capturedAt: "TOT_DATA_BLOCK.DEMANDS[0].EVENT_TIME[0]",
        scaler: 0,
        total: false,
      },
      { measurement: "voltage.l1.line", table: 28, element: "PRESENT_VALUE[0]", scaler: -1, total: false },
    ],
    loadProfiles: [
      {
        channelSet: "load",
        set: 1,
        period: 900,
        channels: [
          { measurement: "energy.active.import.total", channel: 0, scaler: 0 },
          { measurement: "energy.active.export.total", channel: 1, scaler: 0 },
        ],
      },
    ],
    singleSourceTables: { tables: [11, 16, 22, 23, 27, 28, 52, 61, 62, 63, 64], evidence: "unverified" },
    layouts: { "2053": "SWITCH_STATE : UINT8;" },
    switch: {
      state: { table: 2053, element: "SWITCH_STATE", open: 0, closed: 1 },
      procedure: { number: 21, manufacturer: false },
      open: "00",
      close: "01",
      evidence: "unverified",
    },
    groups: {
      answersWithinSeconds: 20,
      time: { dataOrder: "little", format: 4 },
      evidence: "unverified",
    },
  },
};

const variant = (name: string, security: C1222Profile["c1222"]["access"]["security"]): C1222Profile => ({
  ...CIPHERED,
  name,
  c1222: { ...CIPHERED.c1222, access: { ...CIPHERED.c1222.access, security } },
});

/** Without a proof of keys there are readings only. */
const readingOnly = ({ c1222: { switch: _, ...c1222 }, ...profile }: C1222Profile): C1222Profile => ({
  ...profile,
  c1222,
});

export const GENERIC_US = [
  CIPHERED,
  variant("generic-us-authenticated", "authenticated"),
  readingOnly(variant("generic-us-clear", "clear")),
] as const;
