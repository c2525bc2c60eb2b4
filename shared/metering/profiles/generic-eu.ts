import type { DlmsProfile } from "../profile.ts";
import { AMR_PROFILE_STATUS } from "./dlms-status.ts";
import { DISCONNECTOR_EVENTS, eventLog, FRAUD_EVENTS, IDIS_QUALITY_EVENTS, STANDARD_EVENTS } from "./idis-events.ts";
import { LOAD_RELAY } from "./load-relay.ts";
import { IDIS_ALARMS, PUSH_OF_ALARMS, PUSH_OF_LOAD_PROFILE } from "./push-setups.ts";

/**
 * A generic European residential electricity meter: HLS-GMAC, suite 0, authenticated and encrypted, one 15-minute load
 * profile of import and export totals. OBIS codes after the Blue Book's value groups (docs/standards.md).
 */
const SECURED: DlmsProfile = {
  name: "generic-eu",
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
      maxPduSize: 1024,
      deviationSign: "utc",
    },
    clock: "0.0.1.0.0.255",
    registers: [
      { measurement: "energy.active.import.total", classId: 3, obis: "1.0.1.8.0.255", total: true },
      { measurement: "energy.active.export.total", classId: 3, obis: "1.0.2.8.0.255", total: true },
      { measurement: "demand.active.import.max", classId: 4, obis: "1.0.1.6.0.255", total: false },
      { measurement: "voltage.l1.line", classId: 3, obis: "1.0.32.7.0.255", total: false },
      // No companion names the load side: the simulated maker's own code, channel 1 of the voltage.
      { measurement: "voltage.l1.load", classId: 3, obis: "1.1.32.7.0.255", total: false },
    ],
    demandReset: {
      scriptTable: "0.0.10.0.1.255",
      script: 1,
      counter: "1.0.0.1.0.255",
      lastReset: "1.0.0.1.2.255",
      registers: ["demand.active.import.max"],
      evidence: "unverified",
    },
    billing: {
      obis: "0.0.98.1.0.255",
      depth: 13,
      registers: [
        { measurement: "energy.active.import.total", classId: 3, obis: "1.0.1.8.0.255", attribute: 2, scaler: 0 },
        { measurement: "energy.active.export.total", classId: 3, obis: "1.0.2.8.0.255", attribute: 2, scaler: 0 },
        { measurement: "demand.active.import.max", classId: 4, obis: "1.0.1.6.0.255", attribute: 2, scaler: 0 },
      ],
      evidence: "unverified",
    },
    loadProfiles: [
      {
        channelSet: "load",
        obis: "1.0.99.1.0.255",
        period: 900,
        depth: 2880,
        channels: [
          { measurement: "energy.active.import.total", classId: 3, obis: "1.0.1.8.0.255", attribute: 2, scaler: 0 },
          { measurement: "energy.active.export.total", classId: 3, obis: "1.0.2.8.0.255", attribute: 2, scaler: 0 },
        ],
        status: "0.0.96.10.1.255",
        statusBits: { ...AMR_PROFILE_STATUS },
      },
    ],
    events: [
      eventLog("standard", 0, STANDARD_EVENTS, "verified"),
      eventLog("fraud", 1, FRAUD_EVENTS, "verified"),
      eventLog("disconnector", 2, DISCONNECTOR_EVENTS, "verified"),
      eventLog("power-quality", 4, IDIS_QUALITY_EVENTS, "verified"),
    ],
    switch: { control: "0.0.96.3.10.255", mode: 4, evidence: "verified" },
    clockSetting: { method: "shift-or-write", toleranceMs: 3_000, evidence: "unverified" },
    tariff: {
      calendar: "0.0.13.0.0.255",
      specialDays: "0.0.11.0.0.255",
      scriptTable: "0.0.10.0.100.255",
      tiers: [1, 2, 3, 4],
      evidence: "unverified",
    },
    priceDisplay: { message: "0.0.96.13.0.255", octetsMax: 128, evidence: "unverified" },
    limiter: { obis: "0.0.17.0.0.255", evidence: "verified" },
    prepayment: {
      account: "0.0.19.0.0.255",
      credit: "0.0.19.10.0.255",
      charges: ["0.0.19.20.0.255"],
      tokenGateway: "0.0.19.40.0.255",
      evidence: "unverified",
    },
    loadControl: LOAD_RELAY,
    imageTransfer: { obis: "0.0.44.0.0.255", activeFirmware: "1.0.0.2.0.255", evidence: "verified" },
    securitySetup: {
      obis: "0.0.43.0.0.255",
      version: 0,
      keyTransfer: ["unicast", "authentication", "master"],
      keyAgreement: [],
      evidence: "verified",
    },
    pushes: [PUSH_OF_LOAD_PROFILE, PUSH_OF_ALARMS],
    alarms: [...IDIS_ALARMS],
  },
};

const variant = (name: string, access: Partial<DlmsProfile["dlms"]["access"]>): DlmsProfile => ({
  ...SECURED,
  name,
  dlms: { ...SECURED.dlms, access: { ...SECURED.dlms.access, ...access } },
});

/** Without a proof of keys there are readings only. */
function readingOnly({ dlms, ...profile }: DlmsProfile): DlmsProfile {
  const { access, clock, registers, loadProfiles, events } = dlms;
  return { ...profile, dlms: { access, clock, registers, loadProfiles, ...(events && { events }) } };
}

export const GENERIC_EU = [
  SECURED,
  variant("generic-eu-general", { ciphering: "general" }),
  variant("generic-eu-suite-2", { authentication: "hls-ecdsa", ciphering: "general", securitySuite: 2 }),
  readingOnly(variant("generic-eu-lls", { authentication: "lls", ciphering: "none" })),
  readingOnly(variant("generic-eu-public", { authentication: "none", ciphering: "none", clientSap: 16 })),
] as const;
