import type { DlmsEventLog } from "../dlms-equipment.ts";
import type { EventName } from "../event-catalogue.ts";

type Codes = Readonly<Record<string, EventName>>;

/**
 * Codes of the standard event log, as IDIS and Dutch meters share them (docs/standards.md). The
 * time before a clock was set is one event, the time after it another.
 */
export const STANDARD_EVENTS: Codes = {
  1: "power.failed",
  2: "power.restored",
  3: "clock.daylight-saving",
  4: "clock.changed",
  5: "clock.set",
  6: "clock.error",
  7: "hardware.battery-replace",
  8: "hardware.battery-low",
  9: "program.tariff-activated",
  12: "hardware.rom-failed",
  13: "hardware.ram-failed",
  14: "hardware.nvram-failed",
  16: "hardware.measurement-failed",
  17: "firmware.image-ready",
  18: "firmware.activated",
  47: "program.configuration-changed",
};
export const FRAUD_EVENTS: Codes = {
  40: "tamper.terminal-cover-opened",
  41: "tamper.terminal-cover-closed",
  42: "tamper.magnetic-started",
  43: "tamper.magnetic-ended",
  44: "tamper.cover-opened",
  45: "tamper.cover-closed",
  46: "security.authentication-failed",
};
/** By hand, by remote order, by the meter itself. On 69 public lists differ: it stays `unknown`. */
export const DISCONNECTOR_EVENTS: Codes = {
  59: "switch.armed",
  60: "switch.opened",
  61: "switch.closed",
  62: "switch.opened",
  63: "switch.closed",
  64: "switch.opened",
  65: "limit.exceeded",
  66: "limit.cleared",
  67: "limit.threshold-changed",
};
const phases = (first: number, event: EventName): Codes =>
  Object.fromEntries([0, 1, 2].map((phase) => [first + phase, event]));
/** L1, L2, L3 each. */
export const IDIS_QUALITY_EVENTS: Codes = {
  ...phases(76, "voltage.under"),
  ...phases(79, "voltage.over"),
  ...phases(82, "voltage.missing"),
  ...phases(85, "voltage.under-cleared"),
};
/** The Dutch list lies one higher, and has no code of a missing voltage there. */
export const DUTCH_QUALITY_EVENTS: Codes = {
  ...phases(77, "voltage.under"),
  ...phases(80, "voltage.over"),
  ...phases(83, "voltage.under-cleared"),
  ...phases(86, "voltage.missing"),
};

/** One event log in the place that both companions give it: 0.0.99.98.e, with its code object 0.0.96.11.e. */
export const eventLog = (
  log: string,
  place: number,
  events: Codes,
  evidence: DlmsEventLog["evidence"],
  depth = 100,
): DlmsEventLog => ({
  log,
  obis: `0.0.99.98.${place}.255`,
  code: `0.0.96.11.${place}.255`,
  depth,
  events: { ...events },
  evidence,
});
