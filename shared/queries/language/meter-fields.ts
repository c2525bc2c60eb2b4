import { FAILURE_REASONS } from "../../metering/failure.ts";
import { Commodity } from "../../metering/meter.ts";
import type { Field, Row } from "./field.ts";

const DAY_INTERVALS_MAX = 1_000_000;

/** What may be asked of a meter. Slow facts are what the registry and the device say; fast facts what the meter did. */
export const METER_FIELDS = {
  meterId: { type: "name", words: "meter id" },
  commodity: { type: "choice", values: Commodity.options, words: "commodity" },
  profile: { type: "name", words: "device profile" },
  group: { type: "name", many: true, words: "group" },
  feeder: { type: "name", words: "feeder" },
  transformer: { type: "name", words: "transformer" },
  collector: { type: "name", words: "collector" },
  cell: { type: "name", words: "radio cell" },
  servicePoint: { type: "name", words: "service point" },
  place: { type: "place", words: "place" },
  keyVersion: { type: "number", unit: "", min: 0, max: 1_000_000, words: "key version" },
  firmware: { type: "text", words: "firmware" },
  program: { type: "text", words: "tariff program" },
  lastCommunication: { type: "age", words: "last communication" },
  lastTry: { type: "age", words: "last try" },
  power: { type: "choice", values: ["on", "off"], words: "power" },
  switch: { type: "choice", values: ["closed", "open", "armed"], words: "switch" },
  lastFailure: {
    type: "choice",
    values: FAILURE_REASONS.filter((reason) => reason !== "none"),
    words: "failure of the last try",
  },
  readLatencyMs: { type: "number", unit: "ms", min: 0, max: 4_000_000_000, words: "latency of the last read" },
  clockOffMs: { type: "number", unit: "ms", min: 0, max: 4_000_000_000, words: "how far off its clock is" },
  missingToday: { type: "number", unit: "intervals", min: 0, max: DAY_INTERVALS_MAX, words: "number missing today" },
  missingYesterday: {
    type: "number",
    unit: "intervals",
    min: 0,
    max: DAY_INTERVALS_MAX,
    words: "number missing yesterday",
  },
} as const satisfies Readonly<Record<string, Field>>;

export type MeterField = keyof typeof METER_FIELDS;
export type MeterRow = Row<MeterField>;
