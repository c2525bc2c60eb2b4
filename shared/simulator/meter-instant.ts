import type { Data } from "../dlms/data.ts";
import { dateTimeIn, instantOf } from "../dlms/date-time.ts";
import { WireError } from "../wire/wire-error.ts";
import { instantOfWall, type Zone } from "./zone.ts";

/** An instant that a client gave; without a deviation it is the meter's own local time. Undefined: no date-time. */
export function instantIn(zone: Zone, data: Data): number | undefined {
  try {
    const given = dateTimeIn(data);
    if (given === undefined) return undefined;
    if (given.deviation !== undefined) return instantOf(given);
    const asUtc = instantOf(given, "utc", 0);
    if (asUtc === undefined) return undefined;
    const wall = new Date(asUtc);
    return instantOfWall(zone, {
      year: wall.getUTCFullYear(),
      month: wall.getUTCMonth() + 1,
      day: wall.getUTCDate(),
      hour: wall.getUTCHours(),
      minute: wall.getUTCMinutes(),
      second: wall.getUTCSeconds(),
    });
  } catch (error) {
    if (error instanceof WireError) return undefined; // a deviation outside its range
    throw error;
  }
}
