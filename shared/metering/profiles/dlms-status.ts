/** AMR profile status of IDIS and DSMR meters, one octet; its bits agree in both (docs/standards.md). */
export const AMR_PROFILE_STATUS = {
  "0x01": "criticalError",
  "0x02": "clockInvalid",
  "0x04": "dataInvalid",
  "0x08": "daylightSaving",
  "0x20": "clockAdjusted",
  "0x80": "powerDown",
} as const;
