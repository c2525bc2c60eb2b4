import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dynamoSchedules } from "../../functions/adapters/dynamo-schedules.ts";
import { memorySchedules } from "../../shared/jobs/memory-schedules.ts";
import { Schedule, type Schedules } from "../../shared/jobs/schedule.ts";
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
