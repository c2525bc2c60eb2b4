import { z } from "zod";
import { Calendar } from "../jobs/calendar.ts";
import { wallClock } from "../jobs/wall-clock.ts";

const Name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "expected 1 to 64 letters, digits, '.', '_' or '-'");
export const TariffName = Name;
/** Of a kilowatt-hour, in thousandths of the currency's minor unit: 28500 is 28.5 cents. */
const Price = z.int().min(0).max(1_000_000_000);
const window = Calendar.shape.daily.unwrap().element;

/** Prices from an instant on. The first window that holds a wall-clock time names its rate; else `otherwise` does. */
export const TariffVersion = z
  .strictObject({
    /** Clock ms. */
    from: z.int().min(0),
    timeZone: Calendar.shape.timeZone,
    /** A local day, minor units. */
    standingPerDay: z.int().min(0).max(1_000_000_000),
    rates: z.record(Name, Price).refine((rates) => Object.keys(rates).length <= 8, "expected at most 8 rates"),
    windows: z
      .array(z.strictObject({ rate: Name, when: window }))
      .max(32)
      .default([]),
    otherwise: Name,
  })
  .refine(
    ({ rates, windows, otherwise }) => [otherwise, ...windows.map(({ rate }) => rate)].every((rate) => rate in rates),
    {
      message: "expected rates that have a price",
      path: ["rates"],
    },
  );
export type TariffVersion = z.infer<typeof TariffVersion>;

/** What energy costs; versions by their `from`, rising. */
export const Tariff = z.strictObject({
  name: Name,
  /** ISO 4217. */
  currency: z.string().regex(/^[A-Z]{3}$/, "expected an ISO 4217 code"),
  versions: z
    .array(TariffVersion)
    .min(1)
    .max(64)
    .refine((all) => all.every(({ from }, at) => at === 0 || from > (all[at - 1]?.from ?? 0)), "expected rising from"),
});
export type Tariff = z.infer<typeof Tariff>;

/** The version that is in force; undefined: none is yet. */
export const inForce = ({ versions }: Tariff, instant: number): TariffVersion | undefined =>
  versions.findLast(({ from }) => from <= instant);

const DAY_MS = 86_400_000;
const minutesOf = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

/** The price at an instant, thousandths of a minor unit a kWh; undefined: no version is in force. */
export function priceAt(tariff: Tariff, instant: number): number | undefined {
  const version = inForce(tariff, instant);
  if (version === undefined) return undefined;
  const wall = wallClock(version.timeZone, instant);
  const midnight = Math.floor(wall / DAY_MS) * DAY_MS;
  const minute = (wall - midnight) / 60_000;
  const day = new Date(midnight).getUTCDay();
  const on = (days: readonly number[] | undefined, which: number): boolean => days?.includes((which + 7) % 7) ?? true;
  const found = version.windows.find(({ when: { days, from, to } }) => {
    const [begin, end] = [minutesOf(from), minutesOf(to)];
    if (begin < end) return minute >= begin && minute < end && on(days, day);
    return (minute >= begin && on(days, day)) || (minute < end && on(days, day - 1));
  });
  return version.rates[found?.rate ?? version.otherwise];
}

/** Local dates of (from, to] whose midnight, by the version in force then, lies there: `yyyy-mm-dd`, at most `most`. */
export function datesBegun(tariff: Tariff, after: string | undefined, now: number, most: number): string[] {
  const version = inForce(tariff, now);
  if (version === undefined) return [];
  const today = new Date(wallClock(version.timeZone, now)).toISOString().slice(0, 10);
  if (after === undefined) return [today];
  const dates: string[] = [];
  for (let at = Date.parse(after) + DAY_MS; at <= Date.parse(today) && dates.length < most; at += DAY_MS)
    dates.push(new Date(at).toISOString().slice(0, 10));
  return dates;
}
