import type { DlmsProfile } from "../profile.ts";
import { AMR_PROFILE_STATUS } from "./dlms-status.ts";
import { DISCONNECTOR_EVENTS, eventLog, STANDARD_EVENTS } from "./idis-events.ts";

/**
 * An electricity meter in the style of those behind a G3-PLC concentrator: short APDUs, so that general block transfer
 * carries what is longer, a half-hour load curve, an armed reconnection. A style, not one maker's model: all of it is
 * `unverified` (docs/standards.md).
 */
const STYLE: DlmsProfile = {
  name: "g3-plc",
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
      generalBlockTransfer: { window: 3 },
      maxPduSize: 256,
      deviationSign: "utc",
    },
    clock: "0.0.1.0.0.255",
    registers: [
      { measurement: "energy.active.import.total", classId: 3, obis: "1.0.1.8.0.255", total: true },
      { measurement: "energy.active.export.total", classId: 3, obis: "1.0.2.8.0.255", total: true },
      { measurement: "energy.active.import.tou.1", classId: 3, obis: "1.0.1.8.1.255", total: true },
      { measurement: "energy.active.import.tou.2", classId: 3, obis: "1.0.1.8.2.255", total: true },
      { measurement: "voltage.l1.line", classId: 3, obis: "1.0.32.7.0.255", total: false },
      { measurement: "power.apparent.total", classId: 3, obis: "1.0.9.7.0.255", total: false },
    ],
    loadProfiles: [
      {
        channelSet: "curve",
        obis: "1.0.99.1.0.255",
        period: 1800,
        depth: 3360,
        channels: [
          { measurement: "energy.active.import.total", classId: 3, obis: "1.0.1.8.0.255", attribute: 2, scaler: 0 },
        ],
        status: "0.0.96.10.1.255",
        statusBits: { ...AMR_PROFILE_STATUS },
      },
    ],
    events: [
      eventLog("standard", 0, STANDARD_EVENTS, "unverified"),
      eventLog("disconnector", 2, DISCONNECTOR_EVENTS, "unverified"),
    ],
    switch: { control: "0.0.96.3.10.255", mode: 5, evidence: "unverified" },
    clockSetting: { method: "shift", toleranceMs: 3_000, evidence: "unverified" },
    limiter: { obis: "0.0.17.0.0.255", evidence: "unverified" },
  },
};

export const G3_PLC = [STYLE] as const;
