/** The rule of a meter's local time. */
export interface Zone {
  /** Local standard time minus UTC, minutes: 60 in Central Europe. */
  readonly standardMinutes: number;
  /** European Union summer time: last Sunday of March to last Sunday of October, both at 01:00 UTC (Directive 2000/84/EC). */
  readonly summerTime: boolean;
}

export const CENTRAL_EUROPE: Zone = { standardMinutes: 60, summerTime: true };
export const UTC: Zone = { standardMinutes: 0, summerTime: false };

/** Fields of a wall clock. */
export interface WallTime {
  readonly year: number;
  /** 1..12 */
  readonly month: number;
  readonly day: number;
  /** 1 = Monday .. 7 = Sunday. */
  readonly dayOfWeek: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** Local time minus UTC, minutes, summer time included. */
  readonly offsetMinutes: number;
  readonly summer: boolean;
}

/** 01:00 UTC on the last Sunday of a month with 31 days. */
function lastSunday(year: number, month: number): number {
  const end = Date.UTC(year, month, 0, 1);
  return end - new Date(end).getUTCDay() * 86_400_000;
}

export function isSummer(zone: Zone, instant: number): boolean {
  if (!zone.summerTime) return false;
  const year = new Date(instant).getUTCFullYear();
  return instant >= lastSunday(year, 3) && instant < lastSunday(year, 10);
}

export function wallTime(zone: Zone, instant: number): WallTime {
  const summer = isSummer(zone, instant);
  const offsetMinutes = zone.standardMinutes + (summer ? 60 : 0);
  const local = new Date(instant + offsetMinutes * 60_000);
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    dayOfWeek: local.getUTCDay() === 0 ? 7 : local.getUTCDay(),
    hour: local.getUTCHours(),
    minute: local.getUTCMinutes(),
    second: local.getUTCSeconds(),
    offsetMinutes,
    summer,
  };
}

/** The instant of a wall time given without an offset; in the repeated hour of autumn the earlier one. */
export function instantOfWall(zone: Zone, wall: Omit<WallTime, "dayOfWeek" | "offsetMinutes" | "summer">): number {
  const asUtc = Date.UTC(wall.year, wall.month - 1, wall.day, wall.hour, wall.minute, wall.second);
  const inSummer = asUtc - (zone.standardMinutes + 60) * 60_000;
  return zone.summerTime && isSummer(zone, inSummer) ? inSummer : asUtc - zone.standardMinutes * 60_000;
}

/** The beginning of the local month that `instant` lies in. */
export function monthStart(zone: Zone, instant: number): number {
  const { year, month } = wallTime(zone, instant);
  return instantOfWall(zone, { year, month, day: 1, hour: 0, minute: 0, second: 0 });
}

/** Beginnings of the last `count` local days up to `instant`, oldest first. */
export function dayStarts(zone: Zone, instant: number, count: number): readonly number[] {
  const { year, month, day } = wallTime(zone, instant);
  return Array.from({ length: count }, (_, back) => {
    const date = new Date(Date.UTC(year, month - 1, day - (count - 1 - back)));
    return instantOfWall(zone, {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
      hour: 0,
      minute: 0,
      second: 0,
    });
  });
}

/** Beginnings of the last `count` local months up to `instant`, oldest first. */
export function monthStarts(zone: Zone, instant: number, count: number): readonly number[] {
  const { year, month } = wallTime(zone, instant);
  return Array.from({ length: count }, (_, back) => {
    const date = new Date(Date.UTC(year, month - 1 - (count - 1 - back), 1));
    return instantOfWall(zone, {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: 1,
      hour: 0,
      minute: 0,
      second: 0,
    });
  });
}
