import type { DlmsProfile } from "../profile.ts";

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
    ],
    demandReset: {
      scriptTable: "0.0.10.0.1.255",
      script: 1,
      counter: "1.0.0.1.0.255",
      lastReset: "1.0.0.1.2.255",
      registers: ["demand.active.import.max"],
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
        statusBits: {
          "0x01": "criticalError",
          "0x02": "clockInvalid",
          "0x04": "dataInvalid",
          "0x08": "daylightSaving",
          "0x20": "clockAdjusted",
          "0x80": "powerDown",
        },
      },
    ],
  },
};

const variant = (name: string, access: Partial<DlmsProfile["dlms"]["access"]>): DlmsProfile => ({
  ...SECURED,
  name,
  dlms: { ...SECURED.dlms, access: { ...SECURED.dlms.access, ...access } },
});

/** Without a proof of keys there are readings only. */
const readingOnly = ({ dlms: { demandReset: _, ...dlms }, ...profile }: DlmsProfile): DlmsProfile => ({
  ...profile,
  dlms,
});

export const GENERIC_EU = [
  SECURED,
  variant("generic-eu-general", { ciphering: "general" }),
  readingOnly(variant("generic-eu-lls", { authentication: "lls", ciphering: "none" })),
  readingOnly(variant("generic-eu-public", { authentication: "none", ciphering: "none", clientSap: 16 })),
] as const;
