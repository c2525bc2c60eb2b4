import { HeadraceError } from "../ports/errors.ts";
import type { Reader } from "../wire/reader.ts";
import { WireError } from "../wire/wire-error.ts";
import type { Writer } from "../wire/writer.ts";
import type { GenConfig } from "./gen-config.ts";
import { readUnsigned, writeUnsigned } from "./integer.ts";

/**
 * The meter's wall clock as milliseconds since 1970-01-01T00:00 of the same wall clock; whether that is UTC says the
 * meter's TIME_DATE_QUAL. Null: the field says no time.
 */
export type WallClock = number | null;

export type TimeType = "LTIME_DATE" | "STIME_DATE";

const FIELD_COUNT = { LTIME_DATE: 6, STIME_DATE: 5 } as const;

export function timeOctets(type: TimeType, { timeFormat }: GenConfig): number {
  switch (timeFormat) {
    case 0:
      return 0;
    case 1:
    case 2:
      return FIELD_COUNT[type];
    case 3:
      return type === "LTIME_DATE" ? 5 : 4;
    case 4:
      return 4;
    default:
      throw new HeadraceError("c1219.time-format", `time format ${timeFormat} does not exist`, { retry: "never" });
  }
}

export function readTime(source: Reader, type: TimeType, config: GenConfig): WallClock {
  const { offset } = source;
  switch (config.timeFormat) {
    case 3: {
      const minutes = Number(readUnsigned(source, 4, config));
      const seconds = type === "LTIME_DATE" ? source.unsigned8("seconds") : 0;
      if (seconds > 59) throw new WireError("wire.value", `expected seconds of 0 to 59, got ${seconds}`, offset + 4);
      return minutes * 60_000 + seconds * 1000;
    }
    case 4:
      return Number(readUnsigned(source, 4, config)) * 1000;
    default:
      return fieldsTime([...source.take(timeOctets(type, config), "a time")], config.timeFormat === 1, offset);
  }
}

function fieldsTime(octets: readonly number[], bcd: boolean, offset: number): WallClock {
  if (octets.every((octet) => octet === 0)) return null;
  const value = (index: number): number => {
    const octet = octets[index] ?? 0;
    return bcd ? (octet >> 4) * 10 + (octet & 0x0f) : octet;
  };
  const year = value(0) >= 90 ? 1900 + value(0) : 2000 + value(0);
  const ms = Date.UTC(year, value(1) - 1, value(2), value(3), value(4), value(5));
  const back = new Date(ms);
  const legal =
    value(0) < 100 &&
    (!bcd || octets.every((octet) => octet >> 4 < 10 && (octet & 0x0f) < 10)) &&
    back.getUTCMonth() + 1 === value(1) &&
    back.getUTCDate() === value(2) &&
    back.getUTCHours() === value(3) &&
    back.getUTCMinutes() === value(4) &&
    back.getUTCSeconds() === value(5);
  if (!legal) throw new WireError("wire.value", "expected a date and time that exist", offset);
  return ms;
}

const DAY_MS = 86_400_000;
/** Octets of a TIME: a time of day. */
export function timeOfDayOctets({ timeFormat }: GenConfig): number {
  if (timeFormat > 4)
    throw new HeadraceError("c1219.time-format", `time format ${timeFormat} does not exist`, { retry: "never" });
  return timeFormat === 0 ? 0 : timeFormat < 3 ? 3 : 4;
}

/** A time of day as milliseconds since midnight. */
export function readTimeOfDay(source: Reader, config: GenConfig): number {
  const { offset } = source;
  if (config.timeFormat > 2) {
    const seconds = Number(readUnsigned(source, 4, config));
    if (seconds * 1000 > DAY_MS)
      throw new WireError("wire.value", `expected seconds of one day, got ${seconds}`, offset);
    return seconds * 1000;
  }
  const octets = source.take(timeOfDayOctets(config), "a time of day");
  const legal = config.timeFormat !== 1 || octets.every((octet) => octet >> 4 < 10 && (octet & 0x0f) < 10);
  const [hours = 0, minutes = 0, seconds = 0] = Array.from(octets, (octet) =>
    config.timeFormat === 1 ? (octet >> 4) * 10 + (octet & 0x0f) : octet,
  );
  if (!legal || hours > 23 || minutes > 59 || seconds > 59)
    throw new WireError("wire.value", "expected a time of day that exists", offset);
  return ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

export function writeTimeOfDay(target: Writer, ms: number, config: GenConfig): void {
  const seconds = Math.floor(ms / 1000);
  if (config.timeFormat > 2) {
    writeUnsigned(target, 4, BigInt(seconds), config);
    return;
  }
  const fields = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  for (const field of fields.slice(0, timeOfDayOctets(config)))
    target.unsigned8(config.timeFormat === 1 ? Math.floor(field / 10) * 16 + (field % 10) : field);
}

export function writeTime(target: Writer, type: TimeType, value: WallClock, config: GenConfig): void {
  const ms = value ?? 0;
  switch (config.timeFormat) {
    case 3:
      writeUnsigned(target, 4, BigInt(Math.floor(ms / 60_000)), config);
      if (type === "LTIME_DATE") target.unsigned8(Math.floor(ms / 1000) % 60);
      return;
    case 4:
      writeUnsigned(target, 4, BigInt(Math.floor(ms / 1000)), config);
      return;
    default: {
      const date = new Date(ms);
      const fields =
        value === null
          ? [0, 0, 0, 0, 0, 0]
          : [
              date.getUTCFullYear() % 100,
              date.getUTCMonth() + 1,
              date.getUTCDate(),
              date.getUTCHours(),
              date.getUTCMinutes(),
              date.getUTCSeconds(),
            ];
      for (const field of fields.slice(0, timeOctets(type, config)))
        target.unsigned8(config.timeFormat === 1 ? Math.floor(field / 10) * 16 + (field % 10) : field);
    }
  }
}
