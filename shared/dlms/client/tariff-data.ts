import type { DlmsTariff } from "../../metering/dlms-equipment.ts";
import {
  canonicalCalendar,
  type SpecialDay,
  sortedSpecialDays,
  TariffCalendar,
} from "../../metering/tariff-calendar.ts";
import type { DateTime } from "../date-time.ts";
import type { ActivityCalendar } from "../objects/activity-calendar.ts";
import type { SpecialDaysTable } from "../objects/schedule.ts";
import type { ShapeValue } from "../objects/shape.ts";

/** A neutral calendar as an Activity calendar and a Special days table have it, both ways. */

type Attributes = (typeof ActivityCalendar)["attributes"];
export interface CalendarData {
  readonly name: Uint8Array;
  readonly seasons: ShapeValue<Attributes["seasonProfileActive"]["shape"]>;
  readonly weeks: ShapeValue<Attributes["weekProfileTableActive"]["shape"]>;
  readonly days: ShapeValue<Attributes["dayProfileTableActive"]["shape"]>;
}
export type SpecialDayData = ShapeValue<(typeof SpecialDaysTable)["attributes"]["entries"]["shape"]>;

const octets = (text: string): Uint8Array => new TextEncoder().encode(text);
export const nameText = (name: Uint8Array): string => Array.from(name, (one) => String.fromCharCode(one)).join("");

/** Each year at 00:00 local time, whatever the deviation then is. */
const yearly = (month: number, dayOfMonth: number): DateTime => ({
  year: undefined,
  month,
  dayOfMonth,
  dayOfWeek: undefined,
  hour: 0,
  minute: 0,
  second: 0,
  hundredths: 0,
  deviation: undefined,
  clockStatus: 0,
});

/** An activate_passive_calendar_time of wildcards alone: never. */
export const NOT_SPECIFIED: DateTime = {
  year: undefined,
  month: undefined,
  dayOfMonth: undefined,
  dayOfWeek: undefined,
  hour: undefined,
  minute: undefined,
  second: undefined,
  hundredths: undefined,
  deviation: undefined,
  clockStatus: undefined,
};

/** `tiers`: by the profile, which script of the table switches to a tier. Undefined: the model has no such tier. */
export function calendarData(calendar: TariffCalendar, { scriptTable, tiers }: DlmsTariff): CalendarData | undefined {
  const { name, seasons, weeks, days } = canonicalCalendar(calendar);
  const used = days.flatMap(({ switches }) => switches.map(({ tier }) => tier));
  if (used.some((tier) => tiers[tier - 1] === undefined)) return undefined;
  return {
    name: octets(name),
    seasons: seasons.map(({ name: season, from, week }) => ({
      seasonProfileName: octets(season),
      seasonStart: yearly(from.month, from.day),
      weekName: octets(week),
    })),
    weeks: weeks.map(({ name: week, days: ids }) => {
      const [monday = 0, tuesday = 0, wednesday = 0, thursday = 0, friday = 0, saturday = 0, sunday = 0] = ids;
      return { weekProfileName: octets(week), monday, tuesday, wednesday, thursday, friday, saturday, sunday };
    }),
    days: days.map(({ day, switches }) => ({
      dayId: day,
      daySchedule: switches.map(({ minute, tier }) => ({
        startTime: { hour: Math.floor(minute / 60), minute: minute % 60, second: 0, hundredths: 0 },
        scriptLogicalName: scriptTable,
        scriptSelector: tiers[tier - 1] ?? 0,
      })),
    })),
  };
}

export const specialDayData = (days: readonly SpecialDay[]): SpecialDayData =>
  sortedSpecialDays(days).map(({ year, month, day, dayId }, at) => ({
    index: at + 1,
    specialdayDate: { year, month, dayOfMonth: day, dayOfWeek: undefined },
    dayId,
  }));

export function specialDaysIn(entries: SpecialDayData): readonly SpecialDay[] | undefined {
  const days: SpecialDay[] = [];
  for (const { specialdayDate, dayId } of entries) {
    const { year, month, dayOfMonth, dayOfWeek } = specialdayDate;
    if (month === undefined || dayOfMonth === undefined || dayOfWeek !== undefined) return undefined;
    days.push({ ...(year === undefined ? {} : { year }), month, day: dayOfMonth, dayId });
  }
  return days;
}

/** Undefined: it holds something that no neutral calendar says (a script of another table, a season with a time). */
export function calendarIn(
  { name, seasons, weeks, days }: CalendarData,
  specialDays: readonly SpecialDay[] | undefined,
  { scriptTable, tiers }: DlmsTariff,
): TariffCalendar | undefined {
  const isYearly = ({ year, dayOfWeek, hour, minute }: DateTime): boolean =>
    year === undefined && dayOfWeek === undefined && (hour ?? 0) === 0 && (minute ?? 0) === 0;
  if (!seasons.every(({ seasonStart }) => isYearly(seasonStart)) || specialDays === undefined) return undefined;
  const schedules = days.flatMap(({ daySchedule }) => daySchedule);
  if (schedules.some(({ scriptLogicalName }) => scriptLogicalName !== scriptTable)) return undefined;
  const found = TariffCalendar.safeParse({
    name: nameText(name),
    seasons: seasons.map(({ seasonProfileName, seasonStart, weekName }) => ({
      name: nameText(seasonProfileName),
      from: { month: seasonStart.month, day: seasonStart.dayOfMonth },
      week: nameText(weekName),
    })),
    weeks: weeks.map(({ weekProfileName, monday, tuesday, wednesday, thursday, friday, saturday, sunday }) => ({
      name: nameText(weekProfileName),
      days: [monday, tuesday, wednesday, thursday, friday, saturday, sunday],
    })),
    days: days.map(({ dayId, daySchedule }) => ({
      day: dayId,
      switches: daySchedule.map(({ startTime: { hour = 0, minute = 0 }, scriptSelector }) => ({
        minute: hour * 60 + minute,
        tier: tiers.indexOf(scriptSelector) + 1,
      })),
    })),
    specialDays: [...specialDays],
  });
  return found.success ? found.data : undefined;
}
