import type { EventName } from "../metering/event-catalogue.ts";

/**
 * Standard event codes of the logs (tables 72 to 76) that have a neutral name. The other codes below 77 say what somebody
 * did to the meter (reads, writes, procedures), which is `unknown` here and keeps its number.
 */
export const STANDARD_EVENTS: Readonly<Record<number, EventName>> = {
  1: "power.failed",
  2: "power.restored",
  3: "clock.changed",
  4: "clock.set",
  5: "clock.changed",
  6: "clock.set",
  11: "program.changed",
  20: "demand.reset",
  22: "clock.daylight-saving",
  23: "clock.daylight-saving",
  36: "program.changed",
  37: "program.mismatch",
  39: "hardware.ram-failed",
  40: "hardware.rom-failed",
  41: "hardware.nvram-failed",
  42: "clock.error",
  43: "hardware.measurement-failed",
  44: "hardware.battery-low",
  45: "voltage.under",
  46: "limit.exceeded",
  47: "tamper.suspected",
  48: "tamper.reverse-energy",
};
