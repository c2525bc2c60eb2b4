import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Calendar } from "./calendar.ts";
import { CALLER, engine, meterRows, T0 } from "./engine-fixture.ts";
import { dueRuns, rescheduled, runSchedules } from "./run-schedules.ts";
import { nextRunOf } from "./runs.ts";
import { Schedule } from "./schedule.ts";

const MINUTE = 60_000;
const scheduleOf = (change: Partial<Schedule> = {}): Schedule =>
  rescheduled(
    Schedule.parse({
      scheduleId: "quarters",
      name: "quarters",
      operation: { kind: "readIntervals", lastSeconds: 3600, registers: "total" },
      target: { kind: "all" },
      cron: "*/15 * * * *",
      timeZone: "UTC",
      enabled: true,
      caller: CALLER,
      createdAt: T0,
      version: 1,
      ...change,
    }),
    T0,
  );

describe("schedules", () => {
  it("become a job at each run, once, however often the tick comes", async () => {
    const { ports, clock, started } = engine(meterRows([1], 2));
    await ports.schedules.create(scheduleOf());
    expect(await runSchedules(ports, clock.now())).toEqual([]);
    clock.pass(15 * MINUTE);
    const both = await Promise.all([runSchedules(ports, clock.now()), runSchedules(ports, clock.now())]);
    expect(await runSchedules(ports, clock.now())).toEqual([]);
    const { jobs } = await ports.ledger.jobs({ limit: 10 });
    expect(jobs).toMatchObject([
      {
        operation: {
          kind: "readIntervals",
          range: { from: T0 + 15 * MINUTE - 3_600_000, to: T0 + 15 * MINUTE },
          registers: "total",
        },
        lane: "bulk",
        deadline: T0 + 15 * MINUTE + 86_400_000,
        schedule: { scheduleId: "quarters", runAt: T0 + 15 * MINUTE },
      },
    ]);
    expect(new Set(started)).toEqual(new Set([jobs[0]?.jobId]));
    expect(both.flat().every(({ outcome }) => outcome.kind === "accepted")).toBe(true);
    expect(await ports.schedules.read("quarters")).toMatchObject({
      lastRunAt: T0 + 15 * MINUTE,
      nextRunAt: T0 + 30 * MINUTE,
      lastJobId: jobs[0]?.jobId,
    });
    clock.pass(15 * MINUTE);
    await runSchedules(ports, clock.now());
    expect((await ports.ledger.jobs({ limit: 10 })).jobs.length).toBe(2);
  });

  it("meet the job that is there when the tick stopped between the job and the schedule", async () => {
    const { ports, clock } = engine(meterRows([1], 2));
    await ports.schedules.create(scheduleOf());
    clock.pass(15 * MINUTE);
    const broken = { ...ports.schedules, write: async () => Promise.reject(new Error("stopped")) };
    await expect(runSchedules({ ...ports, schedules: broken }, clock.now())).rejects.toThrow("stopped");
    await runSchedules(ports, clock.now());
    expect((await ports.ledger.jobs({ limit: 10 })).jobs.length).toBe(1);
  });

  it("catch up with the runs that were missed in one job, which reaches back to the first", () => {
    const due = dueRuns(scheduleOf(), T0 + 5 * 3_600_000 + 1);
    expect(due?.runs).toMatchObject([{ runAt: T0 + 5 * 3_600_000, missed: 19 }]);
    expect(due?.runs[0]?.request.operation).toMatchObject({
      range: { from: T0 + 15 * MINUTE - 3_600_000, to: T0 + 5 * 3_600_000 },
    });
    expect(due?.next).toMatchObject({ nextRunAt: T0 + 5 * 3_600_000 + 15 * MINUTE });
  });

  it("that are switched off or never come again make nothing", () => {
    expect(scheduleOf({ enabled: false }).nextRunAt).toBeUndefined();
    expect(dueRuns(scheduleOf({ enabled: false }), T0 + 1e9)).toBeUndefined();
    expect(scheduleOf({ cron: "0 0 30 2 *" }).nextRunAt).toBeUndefined();
  });

  it("made anew under an old id are others", async () => {
    const { ports, clock } = engine(meterRows([1], 2));
    await ports.schedules.create(scheduleOf());
    clock.pass(15 * MINUTE);
    await runSchedules(ports, clock.now());
    await ports.schedules.remove("quarters");
    await ports.schedules.create({ ...scheduleOf({ createdAt: T0 + 1 }) });
    await runSchedules(ports, clock.now());
    expect((await ports.ledger.jobs({ limit: 10 })).jobs.length).toBe(2);
  });
});

describe("after a downtime", () => {
  const HOUR = 60 * MINUTE;
  it.each<{ name: string; catchUp: Schedule["catchUp"]; now: number; runs: readonly (readonly [number, number])[] }>([
    { name: "the newest, reaching back", catchUp: undefined, now: 2 * HOUR + 1, runs: [[120, 15]] },
    { name: "none that is late", catchUp: { kind: "none" }, now: 2 * HOUR + 10 * MINUTE, runs: [] },
    { name: "one that is hardly late", catchUp: { kind: "none" }, now: 2 * HOUR + 4 * MINUTE, runs: [[120, 120]] },
    {
      name: "all of them",
      catchUp: { kind: "all", max: 100 },
      now: HOUR,
      runs: [
        [15, 15],
        [30, 30],
        [45, 45],
        [60, 60],
      ],
    },
    {
      name: "the newest two, the first reaching back",
      catchUp: { kind: "all", max: 2 },
      now: HOUR,
      runs: [
        [45, 15],
        [60, 60],
      ],
    },
  ])("$name", ({ catchUp, now, runs }) => {
    const due = dueRuns(scheduleOf({ ...(catchUp === undefined ? {} : { catchUp }) }), T0 + now);
    const made = due?.runs.map(({ runAt, request: { operation } }) => {
      if (operation.kind !== "readIntervals") throw new Error("not what was scheduled");
      return [(runAt - T0) / MINUTE, (operation.range.from + HOUR - T0) / MINUTE];
    });
    expect(made).toEqual(runs);
    expect(due?.next.nextRunAt).toBe(T0 + (Math.floor(now / (15 * MINUTE)) + 1) * 15 * MINUTE);
  });

  it("of a few minutes, a schedule of each minute makes each", () => {
    const due = dueRuns(scheduleOf({ cron: "* * * * *", catchUp: { kind: "all", max: 9 } }), T0 + 3 * MINUTE);
    expect(due?.runs.map(({ runAt }) => (runAt - T0) / MINUTE)).toEqual([1, 2, 3]);
  });

  it("each run becomes one job with `all`, whenever the tick comes, and however often", async () => {
    const zone = fc.constantFrom("Europe/Vienna", "America/New_York", "Australia/Lord_Howe");
    const ticks = fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.boolean()), { minLength: 5, maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(zone, fc.constantFrom("*/30 * * * *", "30 1,2 * * *"), ticks, async (timeZone, cron, moves) => {
        const { ports, clock } = engine(meterRows([1], 1));
        const start = Date.UTC(2026, 9, 24, 12);
        clock.pass(start - clock.now());
        const made = scheduleOf({ cron, timeZone, catchUp: { kind: "all", max: 100 } });
        const schedule = rescheduled({ ...made, createdAt: start }, start);
        await ports.schedules.create(schedule);
        for (const [minutes, twice] of moves) {
          clock.pass(minutes * MINUTE);
          await Promise.all(twice ? [runSchedules(ports, clock.now()), runSchedules(ports, clock.now())] : []);
          await runSchedules(ports, clock.now());
        }
        const expected: number[] = [];
        for (let run = nextRunOf(schedule, [], start); run !== undefined && run.runAt <= clock.now(); )
          run = nextRunOf(schedule, [], expected[expected.push(run.runAt) - 1] ?? start);
        const { jobs } = await ports.ledger.jobs({ limit: 10_000 });
        expect(jobs.map((job) => job.schedule?.runAt).sort()).toEqual(expected);
      }),
      { numRuns: 8 },
    );
  });
});

describe("with a calendar", () => {
  const HOUR = 60 * MINUTE;
  const noon = Calendar.parse({ name: "noon", timeZone: "UTC", daily: [{ from: "12:20", to: "13:10" }] });
  const quiet = (runs: "skip" | "move"): Schedule => {
    const { nextRunAt: _, ...made } = scheduleOf({ blackouts: { calendars: ["noon"], runs } });
    return rescheduled(made, T0, [noon]);
  };
  const runsBy = (first: Schedule): (readonly [number, number])[] => {
    const made: (readonly [number, number])[] = [];
    let schedule = first;
    for (let now = T0; now <= T0 + 2 * HOUR; now += MINUTE) {
      const due = dueRuns(schedule, now, [noon]);
      if (due === undefined) continue;
      schedule = due.next;
      for (const { runAt, request } of due.runs) {
        if (request.operation.kind !== "readIntervals") throw new Error("not what was scheduled");
        made.push([(runAt - T0) / MINUTE, (request.operation.range.from + HOUR - T0) / MINUTE]);
      }
    }
    return made;
  };

  it("runs in a blackout are skipped, or come together at its end and reach back to the first", () => {
    const after = [75, 90, 105, 120].map((minutes) => [minutes, minutes]);
    expect(runsBy(quiet("skip"))).toEqual([[15, 15], ...after]);
    expect(runsBy(quiet("move"))).toEqual([[15, 15], [70, 30], ...after]);
  });

  it("that came after the next run was written is heeded all the same", () => {
    const { makesUpFrom: _, ...unaware } = scheduleOf({ blackouts: { calendars: ["noon"], runs: "move" } });
    expect(runsBy({ ...unaware, nextRunAt: T0 + 30 * MINUTE })[0]).toEqual([70, 30]);
  });

  it("of many days, a schedule of each minute skips to its end", () => {
    const dates = Array.from({ length: 20 }, (_, day) => `2026-12-${String(day + 1).padStart(2, "0")}`);
    const closed = Calendar.parse({ name: "closed", timeZone: "UTC", dates });
    const timing = { cron: "* * * * *", timeZone: "UTC", blackouts: { calendars: ["closed"], runs: "skip" as const } };
    expect(nextRunOf(timing, [closed], Date.UTC(2026, 11, 1))?.runAt).toBe(Date.UTC(2026, 11, 21));
  });

  it("late runs do not start inside a blackout either", () => {
    expect(dueRuns(quiet("skip"), T0 + 40 * MINUTE, [noon])).toBeUndefined();
    expect(dueRuns(quiet("skip"), T0 + 70 * MINUTE, [noon])?.runs).toMatchObject([{ runAt: T0 + 15 * MINUTE }]);
  });
});

describe("a run", () => {
  it("spreads the starts of its slices, and has its time after the last", async () => {
    const { ports, clock } = engine(meterRows([1], 2));
    await ports.schedules.create(scheduleOf({ spreadSeconds: 1800, deadlineSeconds: 3600 }));
    clock.pass(15 * MINUTE);
    await runSchedules(ports, clock.now());
    const { jobs } = await ports.ledger.jobs({ limit: 1 });
    expect(jobs).toMatchObject([{ spreadSeconds: 1800, deadline: T0 + 15 * MINUTE + 5_400_000 }]);
  });

  it("that is refused is told by its schedule until one is accepted", async () => {
    const { ports, clock, places } = engine(meterRows([1], 1));
    const [[meterId, place] = []] = places;
    if (meterId === undefined || place === undefined) throw new Error("no meter");
    places.clear();
    await ports.schedules.create(scheduleOf());
    clock.pass(15 * MINUTE);
    await runSchedules(ports, clock.now());
    expect(await ports.schedules.read("quarters")).toMatchObject({
      lastRunAt: clock.now(),
      lastProblem: "target: expected a fleet with enrolled meters",
    });
    places.set(meterId, place);
    clock.pass(15 * MINUTE);
    await runSchedules(ports, clock.now());
    expect(await ports.schedules.read("quarters")).not.toHaveProperty("lastProblem");
  });
});
