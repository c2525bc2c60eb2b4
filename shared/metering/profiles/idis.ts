import type { DlmsLoadProfile, DlmsProfile, DlmsRegister } from "../profile.ts";
import { PUSH_PERIODS } from "../push-setting.ts";
import { AMR_PROFILE_STATUS } from "./dlms-status.ts";
import { DISCONNECTOR_EVENTS, eventLog, FRAUD_EVENTS, IDIS_QUALITY_EVENTS, STANDARD_EVENTS } from "./idis-events.ts";
import { LOAD_RELAY } from "./load-relay.ts";
import { mbusChild, withMbus } from "./mbus-child.ts";
import { IDIS_ALARMS, PUSH_OF_ALARMS, PUSH_OF_LOAD_PROFILE } from "./push-setups.ts";

/**
 * IDIS electricity meters: package 2 (suite 0) and package 3 (suite 1). Objects and event codes as published headends
 * and implementers have them (docs/standards.md); what rests on one source says so.
 */
const energy = (direction: "import" | "export", rate: 0 | 1 | 2): DlmsRegister => {
  const c = direction === "import" ? 1 : 2;
  return {
    measurement: rate === 0 ? `energy.active.${direction}.total` : `energy.active.${direction}.tou.${rate}`,
    classId: 3,
    obis: `1.0.${c}.8.${rate}.255`,
    total: true,
  };
};
const channel = ({ measurement, classId, obis }: DlmsRegister): DlmsLoadProfile["channels"][number] => ({
  measurement,
  classId,
  obis,
  attribute: 2,
  scaler: 0,
});
const TOTALS = [energy("import", 0), energy("export", 0)];
const RATES = [energy("import", 1), energy("import", 2), energy("export", 1), energy("export", 2)];
const MAX_DEMAND: DlmsRegister = {
  measurement: "demand.active.import.max",
  classId: 4,
  obis: "1.0.1.6.0.255",
  total: false,
};
const phase = (number: 1 | 2 | 3): readonly DlmsRegister[] => [
  { measurement: `voltage.l${number}.line`, classId: 3, obis: `1.0.${12 + number * 20}.7.0.255`, total: false },
  { measurement: `current.l${number}`, classId: 3, obis: `1.0.${11 + number * 20}.7.0.255`, total: false },
];

const PACKAGE_2: DlmsProfile = {
  name: "idis-p2",
  version: 1,
  commodity: "electric",
  protocol: "dlms",
  dlms: {
    access: {
      clientSap: 1,
      serverSap: 1,
      authentication: "hls-gmac",
      ciphering: "general",
      securitySuite: 0,
      generalBlockTransfer: { window: 4 },
      maxPduSize: 1024,
      deviationSign: "utc",
    },
    clock: "0.0.1.0.0.255",
    registers: [
      ...TOTALS,
      ...RATES,
      { measurement: "energy.reactive.import.total", classId: 3, obis: "1.0.3.8.0.255", total: true },
      { measurement: "energy.reactive.export.total", classId: 3, obis: "1.0.4.8.0.255", total: true },
      MAX_DEMAND,
      ...phase(1),
      ...phase(2),
      ...phase(3),
      { measurement: "power.active.import.total", classId: 3, obis: "1.0.1.7.0.255", total: false },
      { measurement: "power.active.export.total", classId: 3, obis: "1.0.2.7.0.255", total: false },
      { measurement: "power-factor.total", classId: 3, obis: "1.0.13.7.0.255", total: false },
      { measurement: "frequency", classId: 3, obis: "1.0.14.7.0.255", total: false },
    ],
    loadProfiles: [
      {
        channelSet: "load",
        obis: "1.0.99.1.0.255",
        period: 900,
        depth: 3840,
        channels: TOTALS.map(channel),
        status: "0.0.96.10.1.255",
        statusBits: { ...AMR_PROFILE_STATUS },
      },
      {
        channelSet: "daily",
        obis: "1.0.99.2.0.255",
        period: 86_400,
        depth: 45,
        channels: [...TOTALS, ...RATES].map(channel),
        status: "0.0.96.10.2.255",
        statusBits: { ...AMR_PROFILE_STATUS },
      },
    ],
    demandReset: {
      scriptTable: "0.0.10.0.1.255",
      script: 1,
      counter: "1.0.0.1.0.255",
      lastReset: "1.0.0.1.2.255",
      registers: ["demand.active.import.max"],
      evidence: "unverified",
    },
    events: [
      eventLog(
        "standard",
        0,
        { ...STANDARD_EVENTS, 48: "program.configuration-changed", 51: "firmware.failed" },
        "verified",
      ),
      eventLog("fraud", 1, FRAUD_EVENTS, "verified"),
      eventLog("disconnector", 2, DISCONNECTOR_EVENTS, "verified", 64),
      eventLog("power-quality", 4, IDIS_QUALITY_EVENTS, "verified"),
    ],
    switch: { control: "0.0.96.3.10.255", mode: 4, evidence: "verified" },
    clockSetting: { method: "shift-or-write", toleranceMs: 3_000, evidence: "unverified" },
    limiter: { obis: "0.0.17.0.0.255", evidence: "verified" },
    loadControl: LOAD_RELAY,
    imageTransfer: { obis: "0.0.44.0.0.255", activeFirmware: "1.0.0.2.0.255", evidence: "verified" },
    securitySetup: {
      obis: "0.0.43.0.0.255",
      version: 0,
      keyTransfer: ["unicast", "broadcast", "authentication", "master"],
      keyAgreement: [],
      evidence: "verified",
    },
    pushes: [
      {
        obis: "0.0.25.9.0.255",
        objects: [
          { classId: 1, obis: "0.0.42.0.0.255", attribute: 2 },
          { classId: 8, obis: "0.0.1.0.0.255", attribute: 2 },
          { classId: 3, obis: "1.0.1.8.0.255", attribute: 2 },
          { classId: 3, obis: "1.0.1.8.0.255", attribute: 3 },
          { classId: 3, obis: "1.0.2.8.0.255", attribute: 2 },
          { classId: 3, obis: "1.0.2.8.0.255", attribute: 3 },
        ],
        period: 3600,
        setting: { content: "registers", schedule: "0.0.15.0.4.255", periods: [...PUSH_PERIODS] },
        evidence: "unverified",
      },
      PUSH_OF_LOAD_PROFILE,
      PUSH_OF_ALARMS,
    ],
    alarms: [...IDIS_ALARMS],
    billing: {
      obis: "0.0.98.1.0.255",
      depth: 13,
      registers: [
        ...[...TOTALS, ...RATES].map(channel),
        { measurement: "demand.active.import.max", classId: 4, obis: "1.0.1.6.0.255", attribute: 2, scaler: 0 },
      ],
      evidence: "unverified",
    },
  },
};

const PACKAGE_3: DlmsProfile = {
  ...PACKAGE_2,
  name: "idis-p3",
  dlms: {
    ...PACKAGE_2.dlms,
    access: { ...PACKAGE_2.dlms.access, securitySuite: 1 },
    securitySetup: {
      obis: "0.0.43.0.0.255",
      version: 1,
      keyTransfer: ["unicast", "broadcast", "authentication", "master"],
      keyAgreement: ["unicast", "authentication"],
      evidence: "unverified",
    },
  },
};

const CHILDREN = [
  mbusChild(PACKAGE_2, "gas", 1, { value: 1, depth: 720 }),
  mbusChild(PACKAGE_2, "water", 2, { value: 1, depth: 720 }),
];

export const IDIS = [PACKAGE_2, PACKAGE_3, ...CHILDREN, withMbus(PACKAGE_2, CHILDREN)] as const;
