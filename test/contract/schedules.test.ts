import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dynamoScheduleRuns, dynamoSchedules } from "../../functions/adapters/dynamo-schedules.ts";
import { JobId } from "../../shared/jobs/job.ts";
import { memoryScheduleRuns, memorySchedules } from "../../shared/jobs/memory-schedules.ts";
import { Schedule, type Schedules } from "../../shared/jobs/schedule.ts";
import type { ScheduleRun, ScheduleRuns } from "../../shared/jobs/schedule-runs.ts";
import { type EmbeddedDynamo, embeddedDynamo } from "./embedded-dynamo.ts";

let dynamo: EmbeddedDynamo;
beforeAll(async () => {
  dynamo = await embeddedDynamo();
});
afterAll(() => dynamo.close());

const scheduleOf = (scheduleId: string): Schedule =>
  Schedule.parse({
    scheduleId,
    name: scheduleId,
    operation: { kind: "readIntervals", lastSeconds: 3600 },
    target: { kind: "all" },
    cron: "*/15 * * * *",
    timeZone: "Europe/Vienna",
    enabled: true,
    caller: { id: "anna", roles: ["analyst"] },
    createdAt: 1,
    nextRunAt: 900_000,
    version: 1,
  });

describe.each<{ name: string; open: () => Schedules }>([
  { name: "in memory", open: memorySchedules },
  { name: "on DynamoDB", open: () => dynamoSchedules(dynamo.db, "Ledger") },
])("schedules $name", ({ open }) => {
  let schedules: Schedules;
  beforeAll(() => {
    schedules = open();
  });

  it("are created once, listed by id, removed", async () => {
    for (const id of ["b", "a", "c"]) expect(await schedules.create(scheduleOf(id))).toBe("created");
    expect(await schedules.create({ ...scheduleOf("a"), name: "other" })).toBe("exists");
    await schedules.remove("b");
    await schedules.remove("b");
    expect(await schedules.list()).toEqual([scheduleOf("a"), scheduleOf("c")]);
    expect(await schedules.read("b")).toBeUndefined();
  });

  it("are written under the version that was read", async () => {
    await schedules.create(scheduleOf("w"));
    const was = await schedules.read("w");
    if (was === undefined) throw new Error("the schedule is gone");
    expect(await schedules.write(was, { ...was, enabled: false })).toBe("written");
    expect(await schedules.write(was, { ...was, enabled: true })).toBe("conflict");
    expect(await schedules.read("w")).toMatchObject({ enabled: false, version: 2 });
    await schedules.remove("w");
    expect(await schedules.write(was, was)).toBe("conflict");
    expect(await schedules.read("w")).toBeUndefined();
  });
});

describe.each<{ name: string; open: () => ScheduleRuns }>([
  { name: "in memory", open: memoryScheduleRuns },
  { name: "on DynamoDB", open: () => dynamoScheduleRuns(dynamo.db, "Ledger") },
])("runs of schedules $name", ({ open }) => {
  const runOf = (scheduleId: string, runAt: number): ScheduleRun => ({
    scheduleId,
    runAt,
    jobId: JobId.parse("r".repeat(26)),
    sla: { share: 0.9, withinSeconds: 60 },
    dueAt: runAt + 60_000,
    state: "open",
  });

  it("begin once, are watched until they are decided, and listed newest first", async () => {
    const runs = open();
    for (const runAt of [1_000, 3_000, 2_000, 3_000]) await runs.begin(runOf("one", runAt));
    await runs.begin(runOf("other", 1_000));
    expect((await runs.watched()).map(({ scheduleId, runAt }) => `${scheduleId} ${runAt}`).sort()).toEqual([
      "one 1000",
      "one 2000",
      "one 3000",
      "other 1000",
    ]);
    const met = { ...runOf("one", 3_000), state: "met" as const, decidedAt: 5 };
    await runs.write(met, false);
    await runs.write({ ...runOf("other", 1_000), state: "missed" }, true);
    expect((await runs.watched()).length).toBe(3);
    await runs.begin(runOf("one", 3_000)); // a double tick
    expect(await runs.run("one", 3_000)).toEqual(met);
    expect((await runs.of("one", 2)).map(({ runAt }) => runAt)).toEqual([3_000, 2_000]);
    expect(await runs.of("none", 2)).toEqual([]);
  });
});
