import type { Span } from "./interval-set.ts";

/** A local calendar day, `yyyy-mm-dd`. */
export type Day = string;

const two = (part: number): string => String(part).padStart(2, "0");

export const dayOf = (at: number): Day => {
  const local = new Date(at);
  return `${local.getFullYear()}-${two(local.getMonth() + 1)}-${two(local.getDate())}`;
};

/** Whether it is a day that the calendar has. */
export const isDay = (text: string): text is Day => {
  const [year = 0, month = 0, day = 0] = text.split("-").map(Number);
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && dayOf(new Date(year, month - 1, day).getTime()) === text;
};

/** The day so many days later; days are the calendar's, so a day of 23 or 25 hours is one. */
export function dayAfter(day: Day, days: number): Day {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return dayOf(new Date(year, month - 1, date + days).getTime());
}

const startOf = (day: Day): number => {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return new Date(year, month - 1, date).getTime();
};

/** So many local days, the last one being `day`; from midnight to midnight, whatever the clocks do between. */
export const spanOfDays = (day: Day, days: number): Span => ({
  from: startOf(dayAfter(day, 1 - days)),
  to: startOf(dayAfter(day, 1)),
});
