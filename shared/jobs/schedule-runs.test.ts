import { describe, expect, it } from "vitest";
import { CALLER, engine, meterRows, T0 } from "./engine-fixture.ts";
import { type Job, JobId } from "./job.ts";
import type { JobProgress } from "./ledger.ts";
import { planJob } from "./plan-job.ts";
import { recordOutcomes } from "./record-outcomes.ts";
import { recurrenceProblem } from "./recurrence.ts";
import { rescheduled, runSchedules } from "./run-schedules.ts";
import { type Schedule, ScheduledOperation } from "./schedule.ts";
import { judged, judgedByIntervals, judgeRuns, NO_INTERVALS, type ScheduleRun } from "./schedule-runs.ts";
import { SCHEDULE_TEMPLATES, TEMPLATE_NAMES, withTemplate } from "./schedule-templates.ts";
import { sweepLedger } from "./sweep.ts";

const MINUTE = 60_000;
const DUE = T0 + 60 * MINUTE;
const run: ScheduleRun = {
  scheduleId: "daily",
  runAt: T0,
  jobId: JobId.parse("j".repeat(26)),
  sla: { share: 0.995, withinSeconds: 3600 },
  dueAt: DUE,
  state: "open",
};
const counted = (asOf: number, done: number, rest: Partial<JobProgress> = {}): JobProgress => ({
  asOf,
  done,
  open: 1000 - done,
  failed: 0,
  expired: 0,
  cancelled: 0,
  reasons: {},
  ...rest,
});

describe("a service level of 99.5 % within an hour", () => {
  it.each([
    ["is not decided while there is time", counted(DUE - MINUTE, 994), false, { state: "open" }, true],
    [
      "is met when the share is done",
      counted(DUE - 5 * MINUTE, 995),
      false,
      { state: "met", decidedAt: DUE - 5 * MINUTE },
      false,
    ],
    [
      "is met by the count of the minute in which it is due",
      counted(DUE + MINUTE, 995),
      false,
      { state: "met" },
      false,
    ],
    [
      "is missed at the first count after it is due",
      counted(DUE + 1, 994),
      false,
      { state: "missed", decidedAt: DUE + 1 },
      true,
    ],
    [
      "is missed when it is reached later than that",
      counted(DUE + 2 * MINUTE, 1000),
      false,
      { state: "missed", reachedAt: DUE + 2 * MINUTE },
      false,
    ],
    [
      "is missed before it is due when nothing is open any more",
      counted(DUE - 9 * MINUTE, 990, { open: 0, failed: 10 }),
      true,
      { state: "missed", decidedAt: DUE - 9 * MINUTE },
      false,
    ],
    ["is met of no task at all", counted(DUE - MINUTE, 0, { open: 0 }), true, { state: "met" }, false],
    ["is missed of a job that is never counted", undefined, false, { state: "missed" }, true],
  ] as const)("%s", (_, progress, final, expected, watch) => {
    const answer = judged(run, progress, final, DUE + 2 * MINUTE);
    expect(answer.run).toMatchObject(expected);
    expect(answer.watch).toBe(watch);
  });

  it("that was missed tells when it was reached after all, and stays missed", () => {
    const missed = judged(run, counted(DUE + 1, 900), false, DUE + 1).run;
    const late = judged(missed, counted(DUE + 30 * MINUTE, 999), false, DUE + 30 * MINUTE);
    expect(late.run).toMatchObject({ state: "missed", reachedAt: DUE + 30 * MINUTE, counts: { done: 900 } });
    expect(late.watch).toBe(false);
  });

  it("is never taken back once it is known", () => {
    const met = judged(run, counted(DUE - MINUTE, 999), false, DUE).run;
    expect(judged(met, counted(DUE + MINUTE, 10), true, DUE + MINUTE)).toEqual({ run: met, watch: false });
  });
});

describe("a run that reads intervals", () => {
  const intervals = { ...NO_INTERVALS, expected: 1000 };

  it.each([
    ["is met by intervals that were read in time", { inTime: 995, missing: 5 }, "met", false],
    ["is missed by those that came late", { inTime: 994, late: 6 }, "missed", true],
    [
      "leaves to the next run what meters had not closed yet",
      { inTime: 900, missing: 96, late: 4, reasons: { "not-yet": 96 } },
      "met",
      false,
    ],
    ["is missed by what is pending", { inTime: 900, pending: 100 }, "missed", true],
  ] as const)("%s", (_, counts, state, watch) => {
    const answer = judgedByIntervals(run, { ...intervals, ...counts }, false, DUE + MINUTE);
    expect(answer.run).toMatchObject({ state, decidedAt: DUE + MINUTE, intervals: counts });
    expect(answer.watch).toBe(watch);
  });

  it("that was missed tells at the end of its job whether they came after all", () => {
    const missed = judgedByIntervals(run, { ...intervals, inTime: 10 }, false, DUE).run;
    const late = judgedByIntervals(missed, { ...intervals, inTime: 10, late: 990 }, true, DUE + 9);
    expect(late).toMatchObject({ run: { state: "missed", reachedAt: DUE + 9, intervals: { late: 0 } }, watch: false });
    const never = judgedByIntervals(missed, { ...intervals, inTime: 10 }, true, DUE + 9);
    expect(never).toEqual({ run: missed, watch: false });
  });

  it("is counted once it is due, over as many looks as that takes", async () => {
    const { ports, runs } = engine(meterRows([1], 4));
    await runs.begin(run);
    const job = { jobId: run.jobId, operation: { kind: "readIntervals" }, state: "running" } as unknown as Job;
    await ports.ledger.createJob(job);
    const asked: (number | undefined)[] = [];
    const judge = (now: number) =>
      judgeRuns(
        {
          ...ports,
          runs,
          countIntervals: async (_, from) => {
            asked.push(from);
            const counts = { ...NO_INTERVALS, expected: 500, inTime: 499, missing: 1 };
            return from === undefined ? { counts, next: 7 } : { counts };
          },
        },
        now,
      );
    expect(await judge(DUE)).toEqual([]);
    expect(asked).toEqual([]);
    expect(await judge(DUE + 2 * MINUTE)).toEqual([]);
    expect(await judge(DUE + 3 * MINUTE)).toMatchObject([{ state: "met", intervals: { expected: 1000, inTime: 998 } }]);
    expect(asked).toEqual([undefined, 7]);
    expect(await runs.watched()).toEqual([]);
  });
});

const countIntervals = () => Promise.reject(new Error("expected tasks to be counted"));

describe("runs of a schedule with a service level", () => {
  it("are judged by the ledger's counts, a double tick included", async () => {
    const { ports, clock, sent, runs } = engine(meterRows([1], 4));
    const template = withTemplate({ template: "voltage" as const });
    const schedule: Schedule = {
      ...SCHEDULE_TEMPLATES.voltage,
      ...template,
      scheduleId: "feeder-7",
      name: "feeder 7",
      target: { kind: "all" },
      timeZone: "UTC",
      enabled: true,
      caller: CALLER,
      createdAt: T0,
      version: 1,
    };
    await ports.schedules.create(rescheduled(schedule, T0));
    clock.pass(15 * MINUTE);
    await runSchedules(ports, clock.now());
    await runSchedules(ports, clock.now());
    const [open, ...more] = await runs.watched();
    expect(more).toEqual([]);
    expect(open).toMatchObject({ state: "open", runAt: T0 + 15 * MINUTE, dueAt: T0 + 20 * MINUTE });
    const job = open && (await ports.ledger.job(open.jobId));
    if (job === undefined) throw new Error("the run made a job");
    await planJob(ports, job);
    const [item] = sent;
    if (item === undefined) throw new Error("the job was sent");
    const done = [0, 1, 2, 3].map((slot) => ({ slot, outcome: { kind: "done" as const } }));
    const key = { jobId: job.jobId, segment: 1, part: 0 };
    await recordOutcomes(ports, key, { generation: item.generation, passOver: false }, done.slice(0, 3), job.retry);
    clock.pass(MINUTE);
    await sweepLedger(ports);
    expect(await judgeRuns({ ...ports, runs, countIntervals }, clock.now())).toEqual([]); // three of four are not enough
    await recordOutcomes(ports, key, { generation: item.generation, passOver: true }, done, job.retry);
    clock.pass(MINUTE);
    await sweepLedger(ports);
    expect(await judgeRuns({ ...ports, runs, countIntervals }, clock.now())).toMatchObject([
      { state: "met", counts: { tasks: 4, done: 4 } },
    ]);
    expect(await runs.watched()).toEqual([]);
    expect(await runs.of("feeder-7", 10)).toMatchObject([{ state: "met", jobId: job.jobId }]);
  });
});

interface Submission {
  readonly template?: (typeof TEMPLATE_NAMES)[number];
  readonly lane?: "urgent" | "bulk";
  readonly cron?: string | undefined;
}

describe("templates", () => {
  it.each(TEMPLATE_NAMES)("%s is whole: it can be run, and is due before its job ends", (name) => {
    const { about, operation, cron, sla, deadlineSeconds, spreadSeconds } = SCHEDULE_TEMPLATES[name];
    expect(about.length).toBeGreaterThan(10);
    expect(ScheduledOperation.parse(operation)).toEqual(operation);
    expect(recurrenceProblem(cron, "Europe/Vienna")).toBeUndefined();
    expect(sla.withinSeconds).toBeLessThanOrEqual(deadlineSeconds);
    expect(spreadSeconds).toBeLessThan(sla.withinSeconds);
  });

  it("say what a submission leaves out, and nothing else", () => {
    const made = withTemplate<Submission>({ template: "theft", lane: "urgent", cron: undefined });
    expect(made).toMatchObject({ lane: "urgent", cron: SCHEDULE_TEMPLATES.theft.cron, sla: { share: 0.98 } });
    expect(made).not.toHaveProperty("about");
    expect(withTemplate<Submission>({ lane: "bulk" })).toEqual({ lane: "bulk" });
  });
});
