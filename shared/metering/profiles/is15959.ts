import type { EventName } from "../event-catalogue.ts";
import type { DlmsProfile, DlmsRegister } from "../profile.ts";
import { eventLog } from "./idis-events.ts";

/**
 * An Indian single-phase smart meter (IS 15959 part 2, category D1): utility setting client 48, half-hour block load
 * survey of energies of the interval, daily load profile at midnight, event compartments 0 to 6. Objects as three public
 * headends have them; the codes that one list alone tells make their log `unverified` (docs/standards.md).
 */
const register = (measurement: DlmsRegister["measurement"], obis: string, total = false): DlmsRegister => ({
  measurement,
  classId: 3,
  obis,
  total,
});
const channel = (measurement: DlmsRegister["measurement"], obis: string, scaler = 0) => ({
  measurement,
  classId: 3,
  obis,
  attribute: 2,
  scaler,
});
const every = (codes: readonly number[], event: EventName): Readonly<Record<string, EventName>> =>
  Object.fromEntries(codes.map((code) => [code, event]));

const SINGLE_PHASE: DlmsProfile = {
  name: "is15959-d1",
  version: 1,
  commodity: "electric",
  protocol: "dlms",
  dlms: {
    access: {
      clientSap: 48,
      serverSap: 1,
      authentication: "hls-gmac",
      ciphering: "service-specific",
      securitySuite: 0,
      maxPduSize: 512,
      deviationSign: "utc",
    },
    clock: "0.0.1.0.0.255",
    registers: [
      register("energy.active.import.total", "1.0.1.8.0.255", true),
      register("energy.active.export.total", "1.0.2.8.0.255", true),
      register("energy.apparent.import.total", "1.0.9.8.0.255", true),
      register("energy.apparent.export.total", "1.0.10.8.0.255", true),
      { measurement: "demand.active.import.max", classId: 4, obis: "1.0.1.6.0.255", total: false },
      { measurement: "demand.apparent.import.max", classId: 4, obis: "1.0.9.6.0.255", total: false },
      register("voltage.l1.line", "1.0.12.7.0.255"),
      register("current.l1", "1.0.11.7.0.255"),
      register("current.neutral", "1.0.91.7.0.255"),
      register("power-factor.total", "1.0.13.7.0.255"),
      register("frequency", "1.0.14.7.0.255"),
      register("power.active.import.total", "1.0.1.7.0.255"),
      register("power.apparent.total", "1.0.9.7.0.255"),
    ],
    loadProfiles: [
      {
        channelSet: "block",
        obis: "1.0.99.1.0.255",
        period: 1800,
        depth: 1680,
        channels: [
          channel("voltage.l1.average", "1.0.12.27.0.255", -1),
          channel("energy.active.import.interval", "1.0.1.29.0.255"),
          channel("energy.apparent.import.interval", "1.0.9.29.0.255"),
          channel("energy.active.export.interval", "1.0.2.29.0.255"),
          channel("energy.apparent.export.interval", "1.0.10.29.0.255"),
          channel("current.l1.average", "1.0.11.27.0.255", -2),
        ],
        statusBits: {},
      },
      {
        channelSet: "daily",
        obis: "1.0.99.2.0.255",
        period: 86_400,
        depth: 45,
        channels: [
          channel("energy.active.import.total", "1.0.1.8.0.255"),
          channel("energy.apparent.import.total", "1.0.9.8.0.255"),
          channel("energy.active.export.total", "1.0.2.8.0.255"),
          channel("energy.apparent.export.total", "1.0.10.8.0.255"),
        ],
        statusBits: {},
      },
    ],
    events: [
      eventLog(
        "voltage",
        0,
        {
          ...every([1, 3, 5], "voltage.missing"),
          7: "voltage.over",
          8: "voltage.over-cleared",
          9: "voltage.under",
          10: "voltage.under-cleared",
          11: "voltage.imbalance",
        },
        "unverified",
        60,
      ),
      eventLog(
        "current",
        1,
        {
          ...every([51, 53, 55], "tamper.reverse-energy"),
          ...every([52, 54, 56], "tamper.reverse-energy-cleared"),
        },
        "unverified",
        60,
      ),
      eventLog("power", 2, { 101: "power.failed", 102: "power.restored" }, "verified", 60),
      eventLog(
        "transaction",
        3,
        {
          151: "clock.set",
          ...every([152, 153, 154, 155], "program.changed"),
          157: "firmware.activated",
          158: "limit.threshold-changed",
          ...every([161, 162, 163, 164], "program.configuration-changed"),
          166: "demand.reset",
        },
        "unverified",
        60,
      ),
      eventLog("others", 4, { 201: "tamper.magnetic-started", 202: "tamper.magnetic-ended" }, "verified", 60),
      eventLog("non-rollover", 5, { 251: "tamper.cover-opened" }, "verified", 1),
      eventLog("control", 6, { 301: "switch.opened", 302: "switch.closed" }, "verified", 60),
    ],
    switch: { control: "0.0.96.3.10.255", mode: 4, evidence: "unverified" },
    clockSetting: { method: "write", toleranceMs: 5_000, evidence: "unverified" },
    limiter: { obis: "0.0.17.0.0.255", evidence: "unverified" },
    imageTransfer: { obis: "0.0.44.0.0.255", activeFirmware: "1.0.0.2.0.255", evidence: "unverified" },
    securitySetup: {
      obis: "0.0.43.0.3.255",
      version: 0,
      keyTransfer: ["unicast", "authentication", "master"],
      keyAgreement: [],
      evidence: "unverified",
    },
    billing: {
      obis: "1.0.98.1.0.255",
      depth: 13,
      registers: [
        channel("energy.active.import.total", "1.0.1.8.0.255"),
        channel("energy.apparent.import.total", "1.0.9.8.0.255"),
        { measurement: "demand.active.import.max", classId: 4, obis: "1.0.1.6.0.255", attribute: 2, scaler: 0 },
        { measurement: "demand.apparent.import.max", classId: 4, obis: "1.0.9.6.0.255", attribute: 2, scaler: 0 },
      ],
      evidence: "unverified",
    },
  },
};

export const IS15959 = [SINGLE_PHASE] as const;
