import { describe, expect, it } from "vitest";
import { SchedulePreview, ScheduleSubmission } from "../../shared/api/schedules.ts";
import {
  EMPTY,
  PRESETS,
  previewRequest,
  type ScheduleChoice,
  scheduleRefusal,
  scheduleRequest,
} from "./schedule-request.ts";

const choice = (change: Partial<ScheduleChoice> = {}): ScheduleChoice => ({
  ...EMPTY,
  name: "nightly",
  timeZone: "Europe/Vienna",
  ...change,
});

describe("the schedule form", () => {
  it.each<{ name: string; change: Partial<ScheduleChoice> }>([
    { name: "intervals of all", change: {} },
    { name: "registers of a group", change: { what: "registers", target: "group", group: "north" } },
    { name: "pings of a query", change: { what: "ping", target: "query", query: "gas" } },
    { name: "spread, catching up", change: { spreadMinutes: "30", catchUp: "all" } },
    { name: "around holidays", change: { calendars: ["holidays"], inBlackout: "move" } },
  ])("asks what the API takes: $name", ({ change }) => {
    expect(scheduleRefusal(choice(change))).toBeUndefined();
    expect(ScheduleSubmission.safeParse(scheduleRequest(choice(change))).error).toBeUndefined();
    expect(SchedulePreview.safeParse(previewRequest(choice(change), 5)).error).toBeUndefined();
  });

  it.each<{ change: Partial<ScheduleChoice>; field: string }>([
    { change: { name: " " }, field: "name" },
    { change: { target: "group" }, field: "group" },
    { change: { target: "query" }, field: "query" },
    { change: { cron: "* * *" }, field: "cron" },
    { change: { timeZone: "" }, field: "cron" },
    { change: { spreadMinutes: "1.5" }, field: "spread" },
    { change: { spreadMinutes: "400" }, field: "spread" },
  ])("says what is missing: $field", ({ change, field }) => {
    expect(scheduleRefusal(choice(change))?.field).toBe(field);
  });

  it.each(PRESETS)("can ask about %s", (cron) => {
    expect(previewRequest(choice({ cron }), 1)).toMatchObject({ cron });
  });
});
