import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blackoutAt, Calendar } from "./calendar.ts";
import { nextRunOf, timetable } from "./runs.ts";

const calendar = (change: object): Calendar => Calendar.parse({ name: "quiet", timeZone: "Europe/Vienna", ...change });
const NIGHTS = calendar({ name: "nights", daily: [{ from: "22:00", to: "06:00" }] });
const HOLIDAYS = calendar({ name: "holidays", dates: ["2026-12-24", "2026-12-25"] });
const at = (text: string): number => Date.parse(text);
const minute = (instant: number | undefined) =>
  instant === undefined ? undefined : new Date(instant).toISOString().slice(0, 16);

describe("a blackout", () => {
  it.each<{ name: string; calendars: Calendar[]; instant: string; until: string | undefined }>([
    { name: "ends with the day", calendars: [HOLIDAYS], instant: "2026-12-25T12:00:00Z", until: "2026-12-25T23:00" },
    {
      name: "of days in a row is one",
      calendars: [HOLIDAYS],
      instant: "2026-12-23T23:00:00Z",
      until: "2026-12-25T23:00",
    },
    {
      name: "of a season goes over the turn of the year, with its last day",
      calendars: [calendar({ seasons: [{ from: "11-01", to: "02-29" }] })],
      instant: "2026-11-15T12:00:00Z",
      until: "2027-02-28T23:00",
    },
    {
      name: "of a season is not after it",
      calendars: [calendar({ seasons: [{ from: "11-01", to: "03-31" }] })],
      instant: "2027-03-31T22:00:00Z",
      until: undefined,
    },
    { name: "is not before its day", calendars: [HOLIDAYS], instant: "2026-12-23T22:59:00Z", until: undefined },
    {
      name: "over midnight, before it",
      calendars: [NIGHTS],
      instant: "2026-11-23T21:30:00Z",
      until: "2026-11-24T05:00",
    },
    {
      name: "over midnight, after it",
      calendars: [NIGHTS],
      instant: "2026-11-24T04:59:00Z",
      until: "2026-11-24T05:00",
    },
    { name: "does not hold its end", calendars: [NIGHTS], instant: "2026-11-24T05:00:00Z", until: undefined },
    {
      name: "of two calendars that touch is one",
      calendars: [HOLIDAYS, NIGHTS],
      instant: "2026-12-25T22:30:00Z",
      until: "2026-12-26T05:00",
    },
    {
      name: "through the night of the skipped hour",
      calendars: [NIGHTS],
      instant: "2026-03-28T22:00:00Z",
      until: "2026-03-29T04:00",
    },
    {
      name: "through the night of the repeated hour",
      calendars: [NIGHTS],
      instant: "2026-10-24T21:00:00Z",
      until: "2026-10-25T05:00",
    },
    {
      name: "that ends in the skipped hour ends with it",
      calendars: [calendar({ daily: [{ from: "01:00", to: "02:30" }] })],
      instant: "2026-03-29T00:30:00Z",
      until: "2026-03-29T01:00",
    },
    {
      name: "that ends in the repeated hour, seen when that is shown again, ends when its end is shown again",
      calendars: [calendar({ daily: [{ from: "01:00", to: "02:30" }] })],
      instant: "2026-10-25T01:10:00Z",
      until: "2026-10-25T01:30",
    },
    {
      name: "on Sundays only",
      calendars: [calendar({ daily: [{ days: [0], from: "00:00", to: "12:00" }] })],
      instant: "2026-11-23T08:00:00Z",
      until: undefined,
    },
  ])("$name", ({ calendars, instant, until }) => {
    expect(minute(blackoutAt(calendars, at(instant))?.until)).toBe(until);
  });

  it("that never ends says so", () => {
    const always = calendar({
      daily: [
        { from: "00:00", to: "12:00" },
        { from: "12:00", to: "00:00" },
      ],
    });
    const found = blackoutAt([always], at("2026-11-23T08:00:00Z"));
    expect(found).toEqual({ calendar: "quiet" });
  });

  const time = fc
    .integer({ min: 0, max: 47 })
    .map((half) => `${String(half >> 1).padStart(2, "0")}:${half & 1 ? "30" : "00"}`);
  const zone = fc.constantFrom("Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata");
  const some = fc
    .record({
      timeZone: zone,
      from: time,
      to: time,
      days: fc.option(fc.uniqueArray(fc.nat(6), { minLength: 1, maxLength: 3 })),
    })
    .filter(({ from, to }) => from !== to)
    .map(({ timeZone, from, to, days }) =>
      calendar({ timeZone, daily: [{ from, to, ...(days === null ? {} : { days }) }] }),
    );
  // Around both changes of the clock of these zones, and elsewhere.
  const instant = fc
    .tuple(
      fc.constantFrom("2026-03-08", "2026-03-29", "2026-04-04", "2026-10-03", "2026-10-25", "2026-11-01", "2026-06-15"),
      fc.integer({ min: -2880, max: 2880 }),
    )
    .map(([day, minutes]) => at(`${day}T00:00:00Z`) + minutes * 60_000);

  it("lasts from each of its minutes to the same end, which is in no blackout", () => {
    fc.assert(
      fc.property(fc.array(some, { minLength: 1, maxLength: 2 }), instant, (calendars, now) => {
        const found = blackoutAt(calendars, now);
        if (found?.until === undefined) return;
        expect(found.until).toBeGreaterThan(now);
        expect(blackoutAt(calendars, found.until)).toBeUndefined();
        for (let inside = now; inside < found.until; inside += 15 * 60_000)
          expect(blackoutAt(calendars, inside)?.until).toBe(found.until);
      }),
      { numRuns: 40 },
    );
  });

  it("loses no run that it moves, doubles none, and starts none inside", () => {
    const cron = fc.constantFrom("*/30 * * * *", "15 3 * * *", "0 2,14 * * *");
    fc.assert(
      fc.property(cron, zone, some, instant, (pattern, timeZone, quiet, now) => {
        const timing = { cron: pattern, timeZone, blackouts: { calendars: ["quiet"], runs: "move" as const } };
        const planned: { readonly plannedAt: number; readonly runsAt?: number }[] = [];
        for (const entry of timetable(timing, [quiet], now)) {
          planned.push(entry);
          if (planned.length === 40) break;
        }
        const expected = [...new Set(planned.map(({ runsAt }) => runsAt))].slice(0, -1);
        const found: number[] = [];
        let run = nextRunOf(timing, [quiet], now);
        for (; run !== undefined && found.length < expected.length; run = nextRunOf(timing, [quiet], run.runAt)) {
          found.push(run.runAt);
          expect(blackoutAt([quiet], run.runAt)).toBeUndefined();
          expect(run.from).toBeLessThanOrEqual(run.runAt);
        }
        expect(found).toEqual(expected);
      }),
      { numRuns: 10 },
    );
  });
});

describe("a calendar is refused", () => {
  it.each([
    { timeZone: "Europe/Atlantis" },
    { dates: ["2026-02-30"] },
    { daily: [{ from: "24:00", to: "06:00" }] },
    { daily: [{ from: "06:00", to: "06:00" }] },
    { daily: [{ days: [7], from: "06:00", to: "07:00" }] },
  ])("%j", (change) => expect(() => calendar(change)).toThrow());
});
