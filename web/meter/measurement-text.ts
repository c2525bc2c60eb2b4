/** Measurements as people call them. One that is not listed shows its name in the catalogue. */
const NAMES: Readonly<Record<string, string>> = {
  "energy.active.import.total": "Active energy, import",
  "energy.active.export.total": "Active energy, export",
  "energy.active.import.interval": "Active energy, import, per interval",
  "energy.active.export.interval": "Active energy, export, per interval",
  "energy.reactive.import.total": "Reactive energy, import",
  "demand.active.import.max": "Highest demand, import",
  "voltage.l1.line": "Voltage L1, line side",
  "voltage.l1.load": "Voltage L1, load side",
  "current.l1": "Current L1",
  "volume.gas": "Gas volume",
  "volume.water": "Water volume",
};

export const measurementText = (measurement: string): string => NAMES[measurement] ?? measurement;

/** Interval status and quality flags as people call them. */
const FLAGS: Readonly<Record<string, string>> = {
  powerDown: "power was down",
  clockAdjusted: "clock adjusted",
  clockInvalid: "clock invalid",
  criticalError: "critical error",
  daylightSaving: "daylight saving time",
  dataInvalid: "data invalid",
  timeAmbiguous: "local time ambiguous",
  partial: "partial interval",
  notMonotone: "dial went back",
  rollover: "dial rolled over",
  spike: "far more than usual",
  negative: "negative consumption",
  zero: "no consumption all day",
  clockDrift: "read with the clock off",
  overlap: "overlaps another interval",
  corrected: "replaces another value",
  meterExchange: "meter exchange",
  exchangeSuspected: "dials fell: exchanged?",
};

export const statusText = (status: readonly string[]): string => status.map((flag) => FLAGS[flag] ?? flag).join(", ");

/** Flags that are no reason to look closer. */
const PLAIN = new Set(["daylightSaving"]);
export const isNotable = (status: readonly string[]): boolean => status.some((flag) => !PLAIN.has(flag));
