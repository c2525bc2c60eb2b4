import { z } from "zod";

export type EventClass =
  | "power"
  | "voltage"
  | "tamper"
  | "switch"
  | "limit"
  | "clock"
  | "firmware"
  | "program"
  | "demand"
  | "hardware"
  | "communications"
  | "security"
  | "credit";
/** `alarm`: somebody should be told now. `warning`: somebody should look. `info`: it is kept. */
export type EventSeverity = "info" | "warning" | "alarm";

const of = (eventClass: EventClass, severity: EventSeverity, cim: string) =>
  ({ class: eventClass, severity, cim }) as const;

/**
 * What meters report, protocol-neutral, each with its CIM EndDeviceEventType (IEC 61968-9; codes as public event lists
 * have them, docs/standards.md). Device profiles map a log's codes to these names; what is not mapped is `unknown` and
 * keeps its raw code. Names are stored: append, never rename.
 */
export const EVENTS = {
  unknown: of("hardware", "info", "0.0.0.0"),
  "power.failed": of("power", "info", "3.26.0.47"),
  "power.restored": of("power", "info", "3.26.0.216"),
  "power.last-gasp": of("power", "alarm", "3.26.136.47"),
  "power.restored-notice": of("power", "alarm", "3.26.136.216"),
  "voltage.sag-started": of("voltage", "info", "3.26.38.223"),
  "voltage.sag-ended": of("voltage", "info", "3.26.38.224"),
  "voltage.swell-started": of("voltage", "info", "3.26.38.248"),
  "voltage.swell-ended": of("voltage", "info", "3.26.38.249"),
  "voltage.under": of("voltage", "warning", "3.26.38.150"),
  "voltage.under-cleared": of("voltage", "info", "3.26.38.37"),
  "voltage.over": of("voltage", "warning", "3.26.38.93"),
  "voltage.over-cleared": of("voltage", "info", "3.26.38.73"),
  "voltage.missing": of("voltage", "warning", "3.26.38.47"),
  "voltage.imbalance": of("voltage", "info", "3.26.38.98"),
  "voltage.phase-failed": of("voltage", "warning", "3.26.25.85"),
  "tamper.suspected": of("tamper", "alarm", "3.12.0.257"),
  "tamper.inversion": of("tamper", "alarm", "3.12.17.257"),
  "tamper.cover-opened": of("tamper", "alarm", "3.12.29.39"),
  "tamper.cover-closed": of("tamper", "info", "3.12.29.16"),
  "tamper.cover-removed": of("tamper", "alarm", "3.12.29.212"),
  "tamper.terminal-cover-opened": of("tamper", "alarm", "3.12.128.39"),
  "tamper.terminal-cover-closed": of("tamper", "info", "3.12.128.16"),
  "tamper.magnetic-started": of("tamper", "alarm", "3.12.66.242"),
  "tamper.magnetic-ended": of("tamper", "info", "3.12.66.243"),
  "tamper.reverse-energy": of("tamper", "warning", "3.12.48.219"),
  "tamper.reverse-energy-cleared": of("tamper", "info", "3.12.48.28"),
  "security.wrong-password": of("security", "warning", "3.12.24.7"),
  "security.authentication-failed": of("security", "warning", "3.12.24.35"),
  "security.command-refused": of("security", "warning", "3.12.136.38"),
  "security.push-replayed": of("security", "alarm", "0.0.0.0"),
  "switch.load-side-live": of("switch", "alarm", "3.31.1.143"),
  "switch.opened": of("switch", "info", "3.31.0.68"),
  "switch.closed": of("switch", "info", "3.31.0.42"),
  "switch.open-failed": of("switch", "alarm", "3.31.0.84"),
  "switch.close-failed": of("switch", "alarm", "3.31.0.67"),
  "switch.armed": of("switch", "info", "3.31.0.11"),
  "switch.arm-failed": of("switch", "warning", "3.31.0.226"),
  "limit.exceeded": of("limit", "warning", "3.15.261.139"),
  "limit.cleared": of("limit", "info", "3.15.261.216"),
  "limit.threshold-changed": of("limit", "info", "3.15.261.24"),
  "firmware.image-ready": of("firmware", "info", "3.11.31.25"),
  "firmware.activated": of("firmware", "info", "3.11.31.4"),
  "firmware.version-changed": of("firmware", "info", "3.11.17.52"),
  "firmware.failed": of("firmware", "warning", "3.11.0.85"),
  "program.configuration-changed": of("program", "info", "3.7.31.13"),
  "program.changed": of("program", "info", "3.7.83.24"),
  "program.mismatch": of("program", "warning", "3.9.83.159"),
  "program.unprogrammed": of("program", "warning", "3.7.83.61"),
  "program.tariff-activated": of("program", "info", "3.20.121.4"),
  "clock.set": of("clock", "info", "3.36.114.13"),
  "clock.changed": of("clock", "info", "3.36.114.24"),
  "clock.error": of("clock", "warning", "3.36.0.79"),
  "clock.drift-exceeded": of("clock", "warning", "26.21.117.139"),
  "clock.daylight-saving": of("clock", "info", "3.36.56.24"),
  "demand.reset": of("demand", "info", "3.8.0.215"),
  "demand.billing-closed": of("demand", "info", "3.20.43.44"),
  "hardware.battery-low": of("hardware", "warning", "3.2.22.150"),
  "hardware.battery-replace": of("hardware", "warning", "3.2.0.150"),
  "hardware.battery-ok": of("hardware", "info", "3.2.22.28"),
  "hardware.nvram-failed": of("hardware", "warning", "3.18.72.79"),
  "hardware.ram-failed": of("hardware", "warning", "3.18.85.79"),
  "hardware.rom-failed": of("hardware", "warning", "3.18.92.79"),
  "hardware.measurement-failed": of("hardware", "warning", "3.21.67.79"),
  "hardware.temperature-high": of("hardware", "warning", "3.35.0.40"),
  "hardware.temperature-ok": of("hardware", "info", "3.35.0.28"),
  "communications.lost": of("communications", "warning", "26.1.0.47"),
  "communications.restored": of("communications", "info", "26.1.0.49"),
  "communications.sub-meter-lost": of("communications", "warning", "4.1.147.79"),
  "communications.sub-meter-restored": of("communications", "info", "4.1.147.216"),
  "credit.low": of("credit", "warning", "0.0.0.0"),
  "credit.used-up": of("credit", "warning", "0.0.0.0"),
  "credit.unverified": of("credit", "alarm", "0.0.0.0"),
} as const satisfies Record<string, { class: EventClass; severity: EventSeverity; cim: string }>;

export type EventName = keyof typeof EVENTS;
export const EVENT_NAMES = Object.keys(EVENTS) as readonly EventName[];
export const EventNameSchema = z.enum(EVENT_NAMES as [EventName, ...EventName[]]);
