import type { C1222Profile } from "../c1222-profile.ts";

/** The register, the clock and the hourly profile, with the tables that they are laid out by: 4 kB, of 30 days. */
const SAID = [0, 21, 61, 62, 23, 63, 64, 52];

/**
 * A module on the index of a gas or water meter, on a battery for its whole life: it wakes by itself, says what its
 * register and its hourly profile show, one way, listens for a moment and sleeps again. Volumes in litres, an hourly profile. When it wakes and
 * how it pushes is the model's own, and unverified (docs/standards.md).
 */
const moduleOf = (commodity: "gas" | "water", wakesEvery: number, deviceClass: string): C1222Profile => {
  const measurement = `volume.${commodity}` as const;
  return {
    name: `${commodity}-module-us`,
    version: 1,
    commodity,
    protocol: "c1222",
    c1222: {
      access: { callingApTitle: ".1.1", security: "ciphered", keyId: 1 },
      clock: 52,
      registers: [{ measurement, table: 23, element: "TOT_DATA_BLOCK.SUMMATIONS[0]", scaler: -3, total: true }],
      loadProfiles: [
        { channelSet: "volume", set: 1, period: 3600, channels: [{ measurement, channel: 0, scaler: -3 }] },
      ],
      singleSourceTables: { tables: [76], evidence: "unverified" },
      layouts: {},
      logs: [{ log: "events", table: 76, codes: {}, evidence: "verified" }],
      clockSetting: { procedure: { number: 10, manufacturer: false }, toleranceMs: 30_000, evidence: "unverified" },
      sleep: {
        wakesEvery,
        listens: 20,
        pushes: SAID,
        time: { dataOrder: "little", format: 4 },
        deviceClass,
        evidence: "unverified",
      },
    },
  };
};

export const MODULES_US = [moduleOf("gas", 21_600, "48525347"), moduleOf("water", 43_200, "48525357")] as const;
