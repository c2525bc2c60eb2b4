import { SEGMENT_SLOTS } from "../metering/meter.ts";
import { assert } from "../ports/errors.ts";
import {
  type FleetColumns,
  INSTANT_MAX,
  LATENCY_MAX,
  MISSING_MAX,
  noColumns,
  POWER_EVIDENCE,
  POWER_STATES,
  type PowerState,
  SWITCH_CODES,
} from "./fleet-columns.ts";
import { OctetReader, OctetWriter } from "./octet-stream.ts";

const VERSION = 3;
const WHAT = "fleet columns";
const REASON_MAX = 31; // five bits, as in the ledger
const CLOCK_MAX = 255;
const RUN_LEAST = 3;

/** An instant as a natural number, 0: never. */
interface Instants {
  readonly name: "tried" | "contact" | "switchAt" | "intervalsAt" | "onAt" | "offAt" | "clockAt";
  /** What it is written as the distance before. */
  readonly since: (columns: FleetColumns, slot: number, newest: number) => number;
  /** It may also be newer than that. */
  readonly either?: true;
}
interface Codes {
  readonly name: "reason" | "latency" | "position" | "missing" | "onBy" | "clock";
  readonly max: number;
}
/** One description for both directions: the columns in the order in which they are written. */
const COLUMNS: readonly (Instants | Codes)[] = [
  { name: "tried", since: (_, __, newest) => newest },
  { name: "contact", since: ({ tried }, slot, newest) => tried[slot] || newest, either: true },
  { name: "switchAt", since: ({ contact }, slot) => contact[slot]! },
  { name: "intervalsAt", since: ({ contact }, slot) => contact[slot]! },
  { name: "reason", max: REASON_MAX },
  { name: "latency", max: LATENCY_MAX },
  { name: "position", max: SWITCH_CODES },
  { name: "missing", max: MISSING_MAX },
  { name: "onAt", since: ({ contact }, slot) => contact[slot]! },
  { name: "offAt", since: ({ contact }, slot) => contact[slot]! },
  { name: "onBy", max: POWER_EVIDENCE.length - 1 },
  { name: "clockAt", since: ({ contact }, slot) => contact[slot]! },
  { name: "clock", max: CLOCK_MAX },
];
/** Version 1 had the supply as the newest contact showed it, behind the reasons; nothing of its evidence. */
const FORMER_POWER = { after: "reason", max: POWER_STATES.length - 1 } as const;
const without = (...names: readonly string[]) => COLUMNS.filter(({ name }) => !names.includes(name));
/** What a version did not have yet was never seen. */
const COLUMNS_OF: Readonly<Record<number, readonly (Instants | Codes)[]>> = {
  1: without("onAt", "offAt", "onBy", "clockAt", "clock"),
  2: without("clockAt", "clock"),
  [VERSION]: COLUMNS,
};

const toNatural = (distance: number, either: boolean): number =>
  1 + (either ? (distance < 0 ? -2 * distance - 1 : 2 * distance) : distance);
const fromNatural = (value: number, either: boolean): number =>
  either ? (value % 2 === 1 ? (value - 1) / 2 : -value / 2) : value - 1;

/**
 * 1,024 values as runs: twice a length and the value that is repeated, or twice a length plus one and so many values. A
 * code is an octet, an instant a number of as many octets as it needs.
 */
function writeColumn(writer: OctetWriter, values: readonly number[], coded: boolean): void {
  const write = (value: number): void => (coded ? writer.octet(value) : writer.natural(value));
  let from = 0;
  const literals = (to: number): void => {
    if (to === from) return;
    writer.natural((to - from) * 2 + 1);
    for (let at = from; at < to; at++) write(values[at]!);
  };
  for (let at = 0; at < values.length; ) {
    let end = at + 1;
    while (end < values.length && values[end] === values[at]) end++;
    if (end - at >= RUN_LEAST) {
      literals(at);
      writer.natural((end - at) * 2);
      write(values[at]!);
      from = end;
    }
    at = end;
  }
  literals(values.length);
}

function readColumn(reader: OctetReader, max: number, coded: boolean): readonly number[] {
  const values: number[] = [];
  const value = (): number => {
    const found = coded ? reader.octet() : reader.natural();
    if (found > max) throw reader.error(`expected a number up to ${max}, found ${found}`);
    return found;
  };
  while (values.length < SEGMENT_SLOTS) {
    const head = reader.natural();
    const length = Math.floor(head / 2);
    if (length === 0 || length > SEGMENT_SLOTS - values.length)
      throw reader.error(`expected a run of 1 to ${SEGMENT_SLOTS - values.length} slots, found ${length}`);
    if (head % 2 === 0) {
      const repeated = value();
      for (let count = 0; count < length; count++) values.push(repeated);
    } else for (let count = 0; count < length; count++) values.push(value());
  }
  return values;
}

/** A whole segment: 2 to 4 kB where all meters were read. */
export function encodeFleetColumns(columns: FleetColumns): Uint8Array {
  const writer = new OctetWriter();
  const newest = Math.max(...columns.tried, ...columns.contact);
  writer.octet(VERSION);
  writer.natural(newest);
  for (const column of COLUMNS) {
    const values = Array.from(columns[column.name]);
    if ("since" in column)
      for (let slot = 0; slot < SEGMENT_SLOTS; slot++) {
        if (values[slot] === 0) continue;
        const distance = column.since(columns, slot, newest) - values[slot]!;
        assert(distance >= 0 || column.either === true, "a fact of a meter is no newer than what brought it");
        values[slot] = toNatural(distance, column.either === true);
      }
    writeColumn(writer, values, "max" in column);
  }
  return writer.done();
}

/** Throws `readings.block-malformed` where octets are missing, left over or out of range. */
export function decodeFleetColumns(octets: Uint8Array): FleetColumns {
  const reader = new OctetReader(octets, WHAT);
  const version = reader.octet();
  const columnsOf = COLUMNS_OF[version];
  if (columnsOf === undefined) throw reader.error(`expected a version up to ${VERSION}, found ${version}`);
  const newest = reader.natural();
  if (newest > INSTANT_MAX) throw reader.error("expected an instant of 32 bits");
  const columns = noColumns();
  let power: readonly number[] = [];
  for (const column of columnsOf) {
    const values = readColumn(reader, "max" in column ? column.max : 2 * INSTANT_MAX, "max" in column);
    for (let slot = 0; slot < SEGMENT_SLOTS; slot++) {
      const value = values[slot]!;
      if (value === 0) continue;
      if ("max" in column) columns[column.name][slot] = value;
      else {
        const at = column.since(columns, slot, newest) - fromNatural(value, column.either === true);
        if (at < 1 || at > newest) throw reader.error(`expected an instant up to ${newest}, found ${at}`);
        columns[column.name][slot] = at;
      }
    }
    if (version === 1 && column.name === FORMER_POWER.after) power = readColumn(reader, FORMER_POWER.max, true);
  }
  for (const [slot, code] of power.entries()) takeFormerPower(columns, slot, POWER_STATES[code]);
  if (reader.left > 0) throw reader.error(`expected the end, found ${reader.left} more octets`);
  return columns;
}

function takeFormerPower(columns: FleetColumns, slot: number, state: PowerState | undefined): void {
  const at = columns.contact[slot] ?? 0;
  if (state === "off") columns.offAt[slot] = at;
  if (state !== "on") return;
  columns.onAt[slot] = at;
  columns.onBy[slot] = POWER_EVIDENCE.indexOf("answer");
}
