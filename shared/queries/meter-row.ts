import type { AccessItem } from "../jobs/access.ts";
import { FAILURE_REASONS } from "../metering/failure.ts";
import { dayOf } from "../readings/day-block.ts";
import { clockOffsetMs, type FleetColumns, latencyMs, powerOf, switchStateOf } from "../readings/fleet-columns.ts";
import { countIntervals, type IntervalBits } from "../readings/interval-bits.ts";
import type { MissingRecord } from "../readings/missing-records.ts";
import type { RegisteredMeter } from "../registry/registered-meter.ts";
import type { Fact } from "./language/field.ts";
import type { MeterField, MeterRow } from "./language/meter-fields.ts";

/** What the registry knows of a meter. */
export const registryRow = ({ meter }: RegisteredMeter): MeterRow => {
  const { meterId, commodity, profile, memberships, location, servicePoint } = meter;
  const { groups, feeder, transformer, collector, cell } = memberships;
  return {
    meterId,
    commodity,
    profile,
    group: groups,
    feeder: feeder ?? null,
    transformer: transformer ?? null,
    collector: collector ?? null,
    cell: cell ?? null,
    servicePoint: servicePoint ?? null,
    place: location ?? null,
  };
};

/** What the access item says, which is read before every session anyway. */
export const accessRow = ({ meterId, profile, collector, cell, ...item }: AccessItem): MeterRow => ({
  meterId,
  profile: profile.name,
  collector: collector ?? null,
  cell: cell ?? null,
  ...deviceRow(item),
});

/** Facts of the device that only its access item has. */
const deviceRow = ({ sealedKeys, identity }: Pick<AccessItem, "sealedKeys" | "identity">) => ({
  keyVersion: sealedKeys?.version ?? null,
  firmware: identity?.firmware ?? null,
  program: identity?.program ?? null,
});
export type DeviceRow = ReturnType<typeof deviceRow>;
/** By slot. */
export const deviceRows = (items: readonly AccessItem[]): ReadonlyMap<number, DeviceRow> =>
  new Map(items.map((item) => [item.slot, deviceRow(item)]));
const NO_DEVICE: DeviceRow = deviceRow({});

/** Facts beyond the registry, of one segment; what is left out was not looked up. */
export interface SegmentFacts {
  /** Undefined: nothing is known of the segment yet. */
  readonly columns?: FleetColumns | undefined;
  /** What was missing of the UTC day before. Undefined: nothing was counted. */
  readonly missing?: MissingRecord | undefined;
  readonly devices?: ReadonlyMap<number, DeviceRow>;
}
export type FactKind = keyof SegmentFacts;
export const FIELDS_OF_FACTS = {
  columns: [
    "lastCommunication",
    "lastTry",
    "power",
    "switch",
    "lastFailure",
    "readLatencyMs",
    "clockOffMs",
    "missingToday",
  ],
  missing: ["missingYesterday"],
  devices: ["keyVersion", "firmware", "program"],
} as const satisfies Record<FactKind, readonly MeterField[]>;

/** Facts that are not in the registry nor in fleet files, but in columns and records of a segment. */
export type FastField = (typeof FIELDS_OF_FACTS)["columns" | "missing"][number];
const FAST_FIELDS: readonly string[] = [...FIELDS_OF_FACTS.columns, ...FIELDS_OF_FACTS.missing];
export const isFastField = (field: MeterField): field is FastField => FAST_FIELDS.includes(field);

/** Facts of one slot at `nowMs`. What was not looked up is left out; what nobody knows is null. */
export const factsRow = (facts: SegmentFacts, slot: number, nowMs: number): MeterRow => ({
  ...("columns" in facts ? rowOf(FIELDS_OF_FACTS.columns, facts, slot, nowMs) : {}),
  ...("missing" in facts ? rowOf(FIELDS_OF_FACTS.missing, facts, slot, nowMs) : {}),
  ...(facts.devices === undefined ? {} : (facts.devices.get(slot) ?? NO_DEVICE)),
});
const rowOf = (fields: readonly FastField[], facts: SegmentFacts, slot: number, nowMs: number): MeterRow =>
  Object.fromEntries(fields.map((field) => [field, factReader(field, facts, nowMs)(slot)]));

/** One fast fact of the slots of a segment; null: nobody knows. */
export function factReader(field: MeterField, facts: SegmentFacts, nowMs: number): (slot: number) => Fact {
  if (field === "missingYesterday") {
    if (facts.missing?.counted === undefined) return () => null; // the closing pass has not counted yet
    const missing = new Map<number, number>();
    for (const { slot, bits } of facts.missing.entries)
      missing.set(slot, (missing.get(slot) ?? 0) + countIntervals(bits as IntervalBits));
    return (slot) => missing.get(slot) ?? 0;
  }
  const { columns } = facts;
  if (columns === undefined) return () => null;
  const instant = (seconds: number | undefined) => (seconds ? seconds * 1000 : null);
  const known = (word: string | undefined) => (word === "unknown" || word === "none" ? null : (word ?? null));
  const today = dayOf(nowMs);
  switch (field) {
    case "lastCommunication":
      return (slot) => instant(columns.contact[slot]);
    case "lastTry":
      return (slot) => instant(columns.tried[slot]);
    case "power":
      return (slot) => known(powerOf(columns, slot).state);
    case "switch":
      return (slot) => known(switchStateOf(columns.position[slot] ?? 0)?.position);
    case "lastFailure":
      return (slot) => known(FAILURE_REASONS[columns.reason[slot] ?? 0]);
    case "readLatencyMs":
      return (slot) => latencyMs(columns.latency[slot] ?? 0) ?? null;
    case "clockOffMs":
      return (slot) => {
        const offset = clockOffsetMs(columns.clock[slot] ?? 0);
        return offset === undefined ? null : Math.abs(offset);
      };
    case "missingToday": // what was counted on another day says nothing of today
      return (slot) => (dayOf((columns.intervalsAt[slot] ?? 0) * 1000) === today ? (columns.missing[slot] ?? 0) : null);
    default:
      return () => null;
  }
}
