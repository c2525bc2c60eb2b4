import type { DlmsAlarm, DlmsPush } from "../dlms-equipment.ts";
import { PUSH_PERIODS } from "../push-setting.ts";

/** Push setups and alarm descriptors in the places that IDIS gives them; the generic European meter has them there too. */

const DEVICE_NAME = { classId: 1, obis: "0.0.42.0.0.255", attribute: 2 };
const own = (obis: string) => ({ classId: 40, obis, attribute: 1 });

/** On interval 1: the newest two entries of the load profile each quarter of an hour, so that one lost push loses nothing. */
export const PUSH_OF_LOAD_PROFILE: DlmsPush = {
  obis: "0.1.25.9.0.255",
  objects: [own("0.1.25.9.0.255"), DEVICE_NAME, { classId: 7, obis: "1.0.99.1.0.255", attribute: 2, entries: 2 }],
  period: 900,
  setting: { content: "intervals", schedule: "0.1.15.0.4.255", periods: [...PUSH_PERIODS] },
  evidence: "unverified",
};

/** On alarm. */
export const PUSH_OF_ALARMS: DlmsPush = {
  obis: "0.4.25.9.0.255",
  objects: [
    own("0.4.25.9.0.255"),
    DEVICE_NAME,
    { classId: 8, obis: "0.0.1.0.0.255", attribute: 2 },
    { classId: 1, obis: "0.0.97.98.20.255", attribute: 2 },
    { classId: 1, obis: "0.0.97.98.21.255", attribute: 2 },
  ],
  onAlarm: true,
  setting: { content: "alarms" },
  evidence: "unverified",
};

/**
 * Alarm descriptors 1 and 2, as a published headend reads them (docs/standards.md). Only what is told by one name for good
 * is mapped; a bit that is raised in a push of its own as the power goes is a last gasp.
 */
export const IDIS_ALARMS: readonly DlmsAlarm[] = [
  {
    log: "alarms-1",
    obis: "0.0.97.98.20.255",
    bits: {
      0: "clock.error",
      1: "hardware.battery-replace",
      8: "hardware.rom-failed",
      9: "hardware.ram-failed",
      10: "hardware.nvram-failed",
      11: "hardware.measurement-failed",
      13: "tamper.suspected",
    },
    evidence: "unverified",
  },
  {
    log: "alarms-2",
    obis: "0.0.97.98.21.255",
    bits: {
      0: "power.last-gasp",
      1: "power.restored-notice",
      2: "voltage.phase-failed",
      3: "voltage.phase-failed",
      4: "voltage.phase-failed",
      9: "voltage.imbalance",
      10: "tamper.reverse-energy",
    },
    evidence: "unverified",
  },
];
