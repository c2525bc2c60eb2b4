import type { Data } from "../dlms/data.ts";
import { CLOCK_STATUS, type DateTime, dateTimeAt, dateTimeData } from "../dlms/date-time.ts";
import { type LogicalName, obisOctets } from "../dlms/logical-name.ts";
import { assert } from "../ports/errors.ts";
import { wallTime, type Zone } from "./zone.ts";

/** `Data` by the short names that the class descriptions use. */
export const unsigned = (value: number): Data => ({ type: "unsigned", value });
export const longUnsigned = (value: number): Data => ({ type: "long-unsigned", value });
export const doubleLongUnsigned = (value: number): Data => ({ type: "double-long-unsigned", value });
export const integer = (value: number): Data => ({ type: "integer", value });
export const long = (value: number): Data => ({ type: "long", value });
export const enumerated = (value: number): Data => ({ type: "enum", value });
export const bool = (value: boolean): Data => ({ type: "boolean", value });
export const octetString = (value: Uint8Array): Data => ({ type: "octet-string", value });
export const array = (...value: readonly Data[]): Data => ({ type: "array", value });
export const structure = (...value: readonly Data[]): Data => ({ type: "structure", value });

const encoder = new TextEncoder();
export const text = (value: string): Data => octetString(encoder.encode(value));

export function name(obis: LogicalName): Data {
  const octets = obisOctets(obis);
  assert(octets !== undefined, `${obis} is an OBIS code`);
  return octetString(octets);
}

export const scalerUnit = (scaler: number, unit: number): Data => structure(integer(scaler), enumerated(unit));

/** An instant as the meter's own local time writes it. */
export function meterTime(zone: Zone, instant: number): DateTime {
  const { offsetMinutes, summer } = wallTime(zone, instant);
  return dateTimeAt(instant, -offsetMinutes, { clockStatus: summer ? CLOCK_STATUS.daylightSavingActive : 0 });
}
export const meterTimeData = (zone: Zone, instant: number): Data => dateTimeData(meterTime(zone, instant));
