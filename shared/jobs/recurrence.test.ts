import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextRun, recurrenceProblem } from "./recurrence.ts";
import { wallClock } from "./wall-clock.ts";

function runs(cron: string, timeZone: string, from: string, count: number): string[] {
  const found: string[] = [];
  let at: number | undefined = Date.parse(from);
  while (found.length < count) {
    at = nextRun(cron, timeZone, at);
    if (at === undefined) break;
    found.push(new Date(at).toISOString().slice(0, 16));
  }
  return found;
}

describe("runs of a schedule", () => {
  it.each<{ name: string; cron: string; zone: string; from: string; expected: string[] }>([
    {
      name: "every quarter of an hour",
      cron: "*/15 * * * *",
      zone: "UTC",
      from: "2026-11-02T11:50:00Z",
      expected: ["2026-11-02T12:00", "2026-11-02T12:15"],
    },
    {
      name: "daily, by the wall clock on both sides of the change",
      cron: "0 6 * * *",
      zone: "Europe/Vienna",
      from: "2026-10-24T00:00:00Z",
      expected: ["2026-10-24T04:00", "2026-10-25T05:00", "2026-10-26T05:00"],
    },
    {
      name: "in a skipped hour: at its end",
      cron: "30 2 * * *",
      zone: "Europe/Vienna",
      from: "2026-03-28T00:00:00Z",
      expected: ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"],
    },
    {
      name: "several in a skipped hour: at its end, once",
      cron: "15,45 2 * * *",
      zone: "Europe/Vienna",
      from: "2026-03-29T00:00:00Z",
      expected: ["2026-03-29T01:00", "2026-03-30T00:15"],
    },
    {
      name: "in a repeated hour: once, the first time",
      cron: "30 2 * * *",
      zone: "Europe/Vienna",
      from: "2026-10-24T12:00:00Z",
      expected: ["2026-10-25T00:30", "2026-10-26T01:30"],
    },
    {
      name: "every hour through a repeated hour: by elapsed time",
      cron: "0 * * * *",
      zone: "Europe/Vienna",
      from: "2026-10-24T23:30:00Z",
      expected: ["2026-10-25T00:00", "2026-10-25T01:00", "2026-10-25T02:00"],
    },
    {
      name: "every hour through a skipped hour: by elapsed time",
      cron: "0 * * * *",
      zone: "Europe/Vienna",
      from: "2026-03-28T23:30:00Z",
      expected: ["2026-03-29T00:00", "2026-03-29T01:00", "2026-03-29T02:00"],
    },
    {
      name: "where the clock moves by half an hour",
      cron: "15 2 * * *",
      zone: "Australia/Lord_Howe",
      from: "2026-10-03T00:00:00Z",
      expected: ["2026-10-03T15:30", "2026-10-04T15:15"],
    },
    {
      name: "where midnight is skipped",
      cron: "30 0 * * *",
      zone: "America/Havana",
      from: "2026-03-07T00:00:00Z",
      expected: ["2026-03-07T05:30", "2026-03-08T05:00", "2026-03-09T04:30"],
    },
    {
      name: "where a whole day is skipped",
      cron: "0 12 * * *",
      zone: "Pacific/Apia",
      from: "2011-12-29T00:00:00Z",
      expected: ["2011-12-29T22:00", "2011-12-30T10:00", "2011-12-30T22:00"],
    },
    { name: "on a day that never comes", cron: "0 0 30 2 *", zone: "UTC", from: "2026-01-01T00:00:00Z", expected: [] },
    {
      name: "on leap days",
      cron: "0 0 29 2 *",
      zone: "UTC",
      from: "2026-01-01T00:00:00Z",
      expected: ["2028-02-29T00:00", "2032-02-29T00:00"],
    },
  ])("$name", ({ cron, zone, from, expected }) => {
    expect(runs(cron, zone, from, Math.max(1, expected.length))).toEqual(expected);
  });

  const zone = fc.constantFrom(
    "UTC",
    "Europe/Vienna",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "America/Sao_Paulo",
  );
  const instant = fc.integer({ min: Date.UTC(2024, 0), max: Date.UTC(2030, 0) });

  it("lie after the instant that was asked about, on whole minutes, and do not depend on where one starts to look", () => {
    const cron = fc.constantFrom("*/15 * * * *", "0 3 * * *", "30 2 * * *", "*/20 1-3 * * *", "5 4 * * 0", "0 0 1 * *");
    fc.assert(
      fc.property(cron, zone, instant, fc.integer({ min: 1, max: 3_600_000 }), (pattern, timeZone, after, earlier) => {
        const run = nextRun(pattern, timeZone, after);
        if (run === undefined) throw new Error("these patterns never end");
        expect(run).toBeGreaterThan(after);
        expect(run % 60_000).toBe(0);
        expect(nextRun(pattern, timeZone, run - 1)).toBe(run);
        const before = nextRun(pattern, timeZone, after - earlier);
        expect(before).toBeLessThanOrEqual(run);
        if (before !== undefined && before > after) expect(before).toBe(run);
      }),
      { numRuns: 300 },
    );
  });

  it("of a daily schedule are one a local day, whatever the clock does", () => {
    fc.assert(
      fc.property(
        zone,
        instant,
        fc.integer({ min: 0, max: 23 }),
        fc.integer({ min: 0, max: 59 }),
        (timeZone, after, hour, minute) => {
          const format = new Intl.DateTimeFormat("en-CA", { timeZone, dateStyle: "short" });
          let at = after;
          const days = Array.from({ length: 10 }, () => {
            at = nextRun(`${minute} ${hour} * * *`, timeZone, at) ?? at;
            return format.format(at);
          });
          expect(new Set(days).size).toBe(10);
          expect(at - after).toBeLessThanOrEqual(10 * 86_400_000 + 7_200_000);
        },
      ),
      { numRuns: 100 },
    );
  });
});

const walls = new Map<string, number>();

/** The recurrence told again, minute by minute: what the wall clock shows, and how often. */
function toldByMinutes(cron: string, timeZone: string, from: number, to: number): number[] {
  const [minute = "", hour = "", , , weekday = ""] = cron.split(" ");
  const fits = (field: string, value: number): boolean =>
    field === "*" ||
    field.split(",").some((part) => {
      const [, low, high, step] = /^(\*|\d+)(?:-(\d+))?(?:\/(\d+))?$/.exec(part) ?? [];
      const [first, last] = low === "*" ? [0, 59] : [Number(low), Number(high ?? low)];
      return value >= first && value <= last && (value - first) % Number(step ?? 1) === 0;
    });
  const matches = (wall: number): boolean => {
    const shown = new Date(wall);
    return fits(minute, shown.getUTCMinutes()) && fits(hour, shown.getUTCHours()) && fits(weekday, shown.getUTCDay());
  };
  const told: number[] = [];
  const wallAt = (at: number): number => {
    const known = walls.get(`${timeZone} ${at}`);
    if (known === undefined) walls.set(`${timeZone} ${at}`, wallClock(timeZone, at));
    return known ?? wallClock(timeZone, at);
  };
  const shown = new Set<number>();
  let last = wallAt(from - 60_000);
  for (let at = from; at <= to; at += 60_000) {
    const wall = wallAt(at);
    if (hour === "*") {
      if (matches(wall)) told.push(at);
      continue;
    }
    // Minutes that the clock has skipped happen now, together.
    let due = false;
    for (let skipped = last + 60_000; skipped <= wall; skipped += 60_000) {
      if (!shown.has(skipped) && matches(skipped)) due = true;
      shown.add(skipped);
    }
    if (due) told.push(at);
    last = Math.max(last, wall);
  }
  return told;
}

describe("at both changes of the clock", () => {
  // First instants of each regime; Casablanca and Lord Howe have changes of other kinds.
  const changes: readonly (readonly [string, string])[] = [
    ["Europe/Vienna", "2026-03-29T01:00:00Z"],
    ["Europe/Vienna", "2026-10-25T01:00:00Z"],
    ["America/New_York", "2027-03-14T07:00:00Z"],
    ["America/New_York", "2026-11-01T06:00:00Z"],
    ["America/Havana", "2026-03-08T05:00:00Z"],
    ["America/Havana", "2026-11-01T05:00:00Z"],
    ["Australia/Lord_Howe", "2026-04-04T15:00:00Z"],
    ["Australia/Lord_Howe", "2026-10-03T15:30:00Z"],
    ["America/St_Johns", "2026-03-08T05:30:00Z"],
    ["America/St_Johns", "2026-11-01T04:30:00Z"],
    ["Africa/Casablanca", "2026-02-15T02:00:00Z"],
    ["Africa/Casablanca", "2026-03-22T02:00:00Z"],
    ["Asia/Kolkata", "2026-03-29T01:00:00Z"],
  ];

  it.each(changes)("%s, %s: no run is lost or doubled", (timeZone, change) => {
    const hours = fc.oneof(
      fc.constantFrom("*", "*", "1-3", "0,2", "2", "1", "3", "0", "23"),
      fc.nat(23).map((hour) => String(hour)),
    );
    const minutes = fc.oneof(
      fc.constantFrom("*/15", "*/20", "0", "30", "59", "*/7"),
      fc.nat(59).map((minute) => String(minute)),
    );
    const days = fc.constantFrom("*", "*", "0", "0,6");
    fc.assert(
      fc.property(minutes, hours, days, fc.integer({ min: 1, max: 1000 }), (minute, hour, day, before) => {
        const cron = `${minute} ${hour} * * ${day}`;
        const from = Date.parse(change) - 26 * 3_600_000 - before * 60_000;
        const to = Date.parse(change) + 26 * 3_600_000;
        const found: number[] = [];
        for (let at = nextRun(cron, timeZone, from - 1); at !== undefined && at <= to; at = nextRun(cron, timeZone, at))
          found.push(at);
        expect(found).toEqual(toldByMinutes(cron, timeZone, from, to));
      }),
      { numRuns: 8 },
    );
  });
});

describe("what is wrong with a recurrence", () => {
  it.each([
    { cron: "*/15 * * * *", timeZone: "Europe/Vienna", field: undefined },
    { cron: "*/15 * * * *", timeZone: "Europe/Atlantis", field: "timeZone" },
    { cron: "* * * *", timeZone: "UTC", field: "cron" },
    { cron: "0 * * * * *", timeZone: "UTC", field: "cron" },
    { cron: "61 * * * *", timeZone: "UTC", field: "cron" },
    { cron: "a b c d e", timeZone: "UTC", field: "cron" },
  ])("$cron in $timeZone: $field", ({ cron, timeZone, field }) => {
    expect(recurrenceProblem(cron, timeZone)?.field).toBe(field);
  });
});
