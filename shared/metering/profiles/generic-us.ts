import type { C1222Profile } from "../c1222-profile.ts";
import { PUSH_PERIODS } from "../push-setting.ts";
import { CALENDAR_LAYOUT, MESSAGE_LAYOUT } from "../us-calendar.ts";

/** What a manufacturer's codes of the event log mean, beside the standard ones. */
const US_EVENTS: NonNullable<C1222Profile["c1222"]["logs"]>[number]["codes"] = {
  M1: "switch.opened",
  M2: "switch.closed",
  M3: "switch.armed",
  M4: "voltage.under-cleared",
  M5: "voltage.over",
  M6: "voltage.over-cleared",
  M7: "tamper.cover-opened",
  M8: "tamper.cover-closed",
};

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
    access: { callingApTitle: ".1.1", security: "ciphered", keyId: 1, recovery: { evidence: "unverified" } },
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
      { measurement: "voltage.l1.load", table: 28, element: "PRESENT_VALUE[1]", scaler: -1, total: false },
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
    singleSourceTables: { tables: [76], evidence: "unverified" },
    layouts: {
      "2053": "SWITCH_STATE : UINT8; CONTACT_CLOSED : UINT8;",
      "2054": "LEVEL : UINT8; MINUTES_LEFT : UINT16;",
      "2055": "LIMIT_WATTS : UINT32; OVER_SECONDS : UINT32; UNDER_SECONDS : UINT32; LIMIT_ACTS : UINT8;",
      "2056": "REGISTERS_ON : UINT8; REGISTERS_MINUTES : UINT16; ALARMS_ON : UINT8;",
      "2060": CALENDAR_LAYOUT,
      "2061": CALENDAR_LAYOUT,
      "2062": MESSAGE_LAYOUT,
    },
    tariff: { active: 2060, pending: 2061, tiers: 4, evidence: "unverified" },
    priceDisplay: { table: 2062, evidence: "unverified" },
    logs: [{ log: "events", table: 76, codes: US_EVENTS, evidence: "unverified" }],
    clockSetting: { procedure: { number: 10, manufacturer: false }, toleranceMs: 2_000, evidence: "unverified" },
    billing: { tables: [25], evidence: "verified" },
    demandReset: {
      procedure: { number: 9, manufacturer: false },
      parameters: "01",
      counter: { table: 23, element: "NBR_DEMAND_RESETS", modulus: 256 },
      registers: ["demand.active.import.max"],
      evidence: "verified",
    },
    switch: {
      state: { table: 2053, element: "SWITCH_STATE", open: 0, closed: 1, armed: 2 },
      contact: { table: 2053, element: "CONTACT_CLOSED" },
      procedure: { number: 5, manufacturer: true },
      open: "00",
      close: "01",
      evidence: "unverified",
    },
    loadControl: {
      procedure: { number: 21, manufacturer: false },
      parameters: "CONTROL_POINT : UINT8; LEVEL : UINT8; DURATION : UINT16;",
      controlPoint: 0,
      state: { table: 2054, level: "LEVEL", minutesLeft: "MINUTES_LEFT" },
      cyclePeriod: 1_800,
      evidence: "unverified",
    },
    powerLimit: {
      table: 2055,
      elements: {
        watts: "LIMIT_WATTS",
        overSeconds: "OVER_SECONDS",
        underSeconds: "UNDER_SECONDS",
        acts: "LIMIT_ACTS",
      },
      noLimit: 0xffff_ffff,
      procedure: { number: 6, manufacturer: true },
      parameters: "LIMIT_WATTS : UINT32; OVER_SECONDS : UINT32; UNDER_SECONDS : UINT32; LIMIT_ACTS : UINT8;",
      evidence: "unverified",
    },
    pushes: [
      {
        content: "registers",
        table: 2056,
        enabled: "REGISTERS_ON",
        period: { element: "REGISTERS_MINUTES", unitSeconds: 60, periods: [...PUSH_PERIODS] },
        tables: [0, 11, 21, 23],
        evidence: "unverified",
      },
      { content: "alarms", table: 2056, enabled: "ALARMS_ON", tables: [], evidence: "unverified" },
    ],
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
const readingOnly = ({
  c1222: {
    switch: _,
    demandReset: _a,
    clockSetting: _b,
    loadControl: _c,
    powerLimit: _d,
    pushes: _e,
    tariff: _f,
    priceDisplay: _g,
    ...c1222
  },
  ...profile
}: C1222Profile): C1222Profile => ({ ...profile, c1222 });

export const GENERIC_US = [
  CIPHERED,
  variant("generic-us-authenticated", "authenticated"),
  readingOnly(variant("generic-us-clear", "clear")),
] as const;
