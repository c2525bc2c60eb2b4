import type { DlmsProfile, DlmsRegister } from "../profile.ts";
import { AMR_PROFILE_STATUS } from "./dlms-status.ts";
import { DUTCH_QUALITY_EVENTS, eventLog, FRAUD_EVENTS, STANDARD_EVENTS } from "./idis-events.ts";
import { mbusChild, withMbus } from "./mbus-child.ts";

/**
 * Dutch electricity meters, DSMR 5 (SMR 5): two rates, no switch, gas and water on the M-Bus. Objects as the profile
 * files of a published headend list them, and as the P1 port's public description does (docs/standards.md).
 */
const rate = (direction: "import" | "export", number: 1 | 2): DlmsRegister => ({
  measurement: `energy.active.${direction}.tou.${number}`,
  classId: 3,
  obis: `1.0.${direction === "import" ? 1 : 2}.8.${number}.255`,
  total: true,
});
const total = (direction: "import" | "export"): DlmsRegister => ({
  measurement: `energy.active.${direction}.total`,
  classId: 3,
  obis: `1.0.${direction === "import" ? 1 : 2}.8.0.255`,
  total: true,
});
const RATES = [rate("import", 1), rate("import", 2), rate("export", 1), rate("export", 2)];
const channel = ({ measurement, classId, obis }: DlmsRegister) => ({
  measurement,
  classId,
  obis,
  attribute: 2,
  scaler: 0,
});
const phase = (number: 1 | 2 | 3): readonly DlmsRegister[] => {
  const at = number * 20;
  return [
    { measurement: `voltage.l${number}.line`, classId: 3, obis: `1.0.${at + 12}.7.0.255`, total: false },
    { measurement: `current.l${number}`, classId: 3, obis: `1.0.${at + 11}.7.0.255`, total: false },
    { measurement: `power.active.import.l${number}`, classId: 3, obis: `1.0.${at + 1}.7.0.255`, total: false },
    { measurement: `power.active.export.l${number}`, classId: 3, obis: `1.0.${at + 2}.7.0.255`, total: false },
  ];
};

const ELECTRICITY: DlmsProfile = {
  name: "dsmr5",
  version: 1,
  commodity: "electric",
  protocol: "dlms",
  dlms: {
    access: {
      clientSap: 1,
      serverSap: 1,
      authentication: "hls-gmac",
      ciphering: "service-specific",
      securitySuite: 0,
      // Shown to the public client from SMR 5.0 on, as the profile files of a public headend have it.
      invocationCounter: "0.0.43.1.0.255",
      maxPduSize: 1024,
      deviationSign: "utc",
    },
    clock: "0.0.1.0.0.255",
    registers: [
      total("import"),
      total("export"),
      ...RATES,
      ...phase(1),
      ...phase(2),
      ...phase(3),
      { measurement: "power.active.import.total", classId: 3, obis: "1.0.1.7.0.255", total: false },
      { measurement: "power.active.export.total", classId: 3, obis: "1.0.2.7.0.255", total: false },
    ],
    loadProfiles: [
      {
        channelSet: "interval",
        obis: "1.0.99.1.0.255",
        period: 900,
        depth: 960,
        channels: [total("import"), total("export")].map(channel),
        status: "0.0.96.10.1.255",
        statusBits: { ...AMR_PROFILE_STATUS },
      },
      {
        channelSet: "daily",
        obis: "1.0.99.2.0.255",
        period: 86_400,
        depth: 40,
        channels: RATES.map(channel),
        status: "0.0.96.10.2.255",
        statusBits: { ...AMR_PROFILE_STATUS },
      },
    ],
    events: [
      eventLog("standard", 0, STANDARD_EVENTS, "verified"),
      eventLog("fraud", 1, FRAUD_EVENTS, "verified"),
      eventLog("power-quality", 5, DUTCH_QUALITY_EVENTS, "unverified"),
    ],
    clockSetting: { method: "write", toleranceMs: 5_000, evidence: "unverified" },
    imageTransfer: { obis: "0.0.44.0.0.255", activeFirmware: "1.0.0.2.0.255", evidence: "verified" },
    securitySetup: {
      obis: "0.0.43.0.0.255",
      version: 0,
      keyTransfer: ["unicast", "authentication", "master"],
      keyAgreement: [],
      evidence: "verified",
    },
    billing: { obis: "0.0.98.1.0.255", depth: 13, registers: RATES.map(channel), evidence: "verified" },
  },
};

const CHILDREN = [
  mbusChild(ELECTRICITY, "gas", 1, { value: 2, depth: 240 }),
  mbusChild(ELECTRICITY, "water", 2, { value: 2, depth: 240 }),
];

export const DSMR5 = [ELECTRICITY, ...CHILDREN, withMbus(ELECTRICITY, CHILDREN)] as const;
