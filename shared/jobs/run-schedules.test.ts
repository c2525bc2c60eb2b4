import { describe, expect, it } from "vitest";
import { CALLER, engine, meterRows, T0 } from "./engine-fixture.ts";
import { dueRun, rescheduled, runSchedules } from "./run-schedules.ts";
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
    const due = dueRun(scheduleOf(), T0 + 5 * 3_600_000 + 1);
    expect(due).toMatchObject({ runAt: T0 + 5 * 3_600_000, missed: 19 });
    expect(due?.request.operation).toMatchObject({
      range: { from: T0 + 15 * MINUTE - 3_600_000, to: T0 + 5 * 3_600_000 },
    });
    expect(due?.next).toMatchObject({ nextRunAt: T0 + 5 * 3_600_000 + 15 * MINUTE });
  });

  it("that are switched off or never come again make nothing", () => {
    expect(scheduleOf({ enabled: false }).nextRunAt).toBeUndefined();
    expect(dueRun(scheduleOf({ enabled: false }), T0 + 1e9)).toBeUndefined();
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
