import { z } from "zod";

/**
 * A time-of-use calendar, protocol-neutral: which tier counts when, by the meter's local time. What it costs is the
 * headend's (`shared/pricing`), what it is called on the meter is its name.
 */

/** Printable ASCII: as much as both protocols show. */
const Label = z.string().regex(/^[A-Za-z0-9_-]{1,8}$/, "expected 1 to 8 letters, digits, '_' or '-'");
const DayId = z.int().min(1).max(16);
export const TIERS_MAX = 8;
export const Tier = z.int().min(1).max(TIERS_MAX);
const DAYS_IN = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
/** `value × 10^scaler` of the currency for a unit of the commodity (a kWh, a m³). */
export const Price = z.strictObject({
  currency: z.string().regex(/^[A-Z]{3}$/, "expected an ISO 4217 code"),
  value: z.int().min(-1_000_000_000).max(1_000_000_000),
  scaler: z.int().min(-6).max(0),
});
export type Price = z.infer<typeof Price>;
const isDate = (month: number, day: number): boolean => day >= 1 && day <= (DAYS_IN[month - 1] ?? 0);
const Month = z.int().min(1).max(12);
const DayOfMonth = z.int().min(1).max(31);

/** A season begins each year at 00:00 of its day and lasts until the next one begins. */
const Season = z
  .strictObject({ name: Label, from: z.strictObject({ month: Month, day: DayOfMonth }), week: Label })
  .refine(({ from }) => isDate(from.month, from.day), { message: "expected a day of the month", path: ["from"] });
/** Day ids from Monday to Sunday. */
const Week = z.strictObject({ name: Label, days: z.array(DayId).length(7) });
/** Minutes of the local day from which a tier counts; the first one at 0. */
const Day = z
  .strictObject({
    day: DayId,
    switches: z
      .array(z.strictObject({ minute: z.int().min(0).max(1439), tier: Tier }))
      .min(1)
      .max(24),
  })
  .refine(
    ({ switches }) =>
      switches[0]?.minute === 0 &&
      switches.every(({ minute }, at) => at === 0 || minute > (switches[at - 1]?.minute ?? 0)),
    { message: "expected switches from minute 0 on, each later than the one before", path: ["switches"] },
  );
/** A date on which another day counts than its week says; without a year: each year. */
const SpecialDay = z
  .strictObject({ year: z.int().min(2000).max(2099).optional(), month: Month, day: DayOfMonth, dayId: DayId })
  .refine(({ month, day }) => isDate(month, day), { message: "expected a day of the month", path: ["day"] });

const unique = (values: readonly unknown[]): boolean => new Set(values).size === values.length;

export const TariffCalendar = z
  .strictObject({
    name: Label,
    seasons: z.array(Season).min(1).max(12),
    weeks: z.array(Week).min(1).max(12),
    days: z.array(Day).min(1).max(16),
    specialDays: z.array(SpecialDay).max(64).default([]),
  })
  .superRefine(({ seasons, weeks, days, specialDays }, context) => {
    const issue = (path: (string | number)[], message: string): void =>
      void context.addIssue({ code: "custom", path, message });
    const weekNames = new Set(weeks.map(({ name }) => name));
    const dayIds = new Set(days.map(({ day }) => day));
    if (!unique(seasons.map(({ name }) => name))) issue(["seasons"], "expected each season's name once");
    if (!unique(seasons.map(({ from }) => from.month * 32 + from.day)))
      issue(["seasons"], "expected each beginning once");
    if (weekNames.size !== weeks.length) issue(["weeks"], "expected each week's name once");
    if (dayIds.size !== days.length) issue(["days"], "expected each day id once");
    if (!unique(specialDays.map(({ year, month, day }) => `${year ?? ""}-${month}-${day}`)))
      issue(["specialDays"], "expected each date once");
    for (const [at, { week }] of seasons.entries())
      if (!weekNames.has(week)) issue(["seasons", at, "week"], "expected the name of a week");
    for (const [at, week] of weeks.entries())
      if (week.days.some((id) => !dayIds.has(id))) issue(["weeks", at, "days"], "expected ids of days");
    for (const [at, { dayId }] of specialDays.entries())
      if (!dayIds.has(dayId)) issue(["specialDays", at, "dayId"], "expected the id of a day");
  });
export type TariffCalendar = z.infer<typeof TariffCalendar>;
export type SpecialDay = TariffCalendar["specialDays"][number];

const dateKey = ({ year, month, day }: SpecialDay): number => (year ?? 0) * 512 + month * 32 + day;
export const sortedSpecialDays = (days: readonly SpecialDay[]): SpecialDay[] =>
  days
    .map(({ year, month, day, dayId }) => ({ ...(year === undefined ? {} : { year }), month, day, dayId }))
    .sort((left, right) => dateKey(left) - dateKey(right));

/** The same calendar in one order, whatever order its parts were given in: equal calendars are equal as JSON. */
export const canonicalCalendar = ({ name, seasons, weeks, days, specialDays }: TariffCalendar): TariffCalendar => ({
  name,
  seasons: seasons
    .map(({ name, from, week }) => ({ name, from: { month: from.month, day: from.day }, week }))
    .sort((left, right) => left.from.month * 32 + left.from.day - right.from.month * 32 - right.from.day),
  weeks: weeks
    .map(({ name, days }) => ({ name, days: [...days] }))
    .sort((left, right) => (left.name < right.name ? -1 : 1)),
  days: days
    .map(({ day, switches }) => ({ day, switches: switches.map(({ minute, tier }) => ({ minute, tier })) }))
    .sort((left, right) => left.day - right.day),
  specialDays: sortedSpecialDays(specialDays),
});
export const calendarText = (calendar: TariffCalendar): string => JSON.stringify(canonicalCalendar(calendar));
export const sameCalendar = (left: TariffCalendar, right: TariffCalendar): boolean =>
  calendarText(left) === calendarText(right);

/** A moment of the meter's local time; `weekday` 1 Monday … 7 Sunday. */
export interface LocalMoment {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly minute: number;
}

/** The tier that counts then. The last season of a year goes on until the first one of the next year. */
export function tierAt(calendar: TariffCalendar, moment: LocalMoment): number {
  const { seasons, weeks, days, specialDays } = canonicalCalendar(calendar);
  const { year, month, day, weekday, minute } = moment;
  const isToday = (special: SpecialDay): boolean => special.month === month && special.day === day;
  const special =
    specialDays.find((one) => one.year === year && isToday(one)) ??
    specialDays.find((one) => one.year === undefined && isToday(one));
  const season = seasons.findLast(({ from }) => from.month * 32 + from.day <= month * 32 + day) ?? seasons.at(-1);
  const week = weeks.find(({ name }) => name === season?.week);
  const dayId = special?.dayId ?? week?.days[weekday - 1];
  const switches = days.find((one) => one.day === dayId)?.switches ?? [];
  return switches.findLast((one) => one.minute <= minute)?.tier ?? 1;
}

const DAY_MS = 86_400_000;
const NEVER = Number.POSITIVE_INFINITY;
/** The beginning of the next such day, from `local` on, as local ms. */
function nextOf({ year, month, day }: SpecialDay, local: number): number {
  const today = Math.floor(local / DAY_MS) * DAY_MS;
  const thisYear = new Date(local).getUTCFullYear();
  const years = year === undefined ? [0, 1, 2, 3, 4, 5, 6, 7, 8].map((ahead) => thisYear + ahead) : [year];
  const starts = years.map((one) => Date.UTC(one, month - 1, day));
  return starts.find((start) => start >= today && new Date(start).getUTCDate() === day) ?? NEVER;
}

/** From when on, local ms, one set of special days says something else than another; infinite: never. */
export function earliestChange(was: readonly SpecialDay[], now: readonly SpecialDay[], local: number): number {
  const key = (one: SpecialDay): string => `${one.year ?? ""}-${one.month}-${one.day}=${one.dayId}`;
  const [before, after] = [new Set(was.map(key)), new Set(now.map(key))];
  const changed = [...was.filter((one) => !after.has(key(one))), ...now.filter((one) => !before.has(key(one)))];
  return Math.min(NEVER, ...changed.map((one) => nextOf(one, local)));
}

/** What a meter shows of one of its calendars. */
export const ShownCalendar = z.strictObject({
  name: z.string().max(64),
  /** SHA-256 of `calendarText`, hex; absent: the meter holds something that no neutral calendar is. */
  digest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});
export const ShownTariff = z.strictObject({
  active: ShownCalendar,
  passive: ShownCalendar.optional(),
  /** When the passive one becomes active, clock ms; absent: not set. */
  activatesAt: z.int().optional(),
});
export type ShownCalendar = z.infer<typeof ShownCalendar>;
export type ShownTariff = z.infer<typeof ShownTariff>;
