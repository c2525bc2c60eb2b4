import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HttpFunctions, httpFunctions, meter } from "./http-functions-fixture.ts";

let functions: HttpFunctions;
beforeAll(async () => {
  functions = await httpFunctions();
  await ask("enrol-meter", "administrator", "POST /meters", { body: meter(1) });
});
afterAll(() => functions.close());

const ask: HttpFunctions["ask"] = (...asked) => functions.ask(...asked);
const schedules = (role: string, routeKey: string, parts: Parameters<HttpFunctions["ask"]>[3] = {}) =>
  ask("manage-schedules", role, routeKey, parts);
const calendars = (role: string, routeKey: string, parts: Parameters<HttpFunctions["ask"]>[3] = {}) =>
  ask("manage-calendars", role, routeKey, parts);

const DAILY = {
  name: "daily",
  operation: { kind: "readIntervals", lastSeconds: 86_400 },
  target: { kind: "group", group: "north" },
  cron: "0 2 * * *",
  timeZone: "Europe/Vienna",
};
const create = async (role: string, scheduleId: string, rest: object = {}) =>
  schedules(role, "POST /schedules", { body: { ...DAILY, ...rest, scheduleId } });

describe("schedules behind the API", () => {
  it("belong to who made them: others look, supervisors and administrators change", async () => {
    expect((await create("analyst", "of-analyst")).status).toBe(201);
    const params = { scheduleId: "of-analyst" };
    const statusOf = async (role: string, routeKey: string, body?: object) =>
      (await schedules(role, routeKey, { params, ...(body === undefined ? {} : { body }) })).status;
    for (const role of ["operator", "supervisor", "administrator"])
      expect(await statusOf(role, "GET /schedules/{scheduleId}")).toBe(200);
    const refused = await schedules("operator", "PUT /schedules/{scheduleId}", { params, body: DAILY });
    expect(refused).toMatchObject({ status: 403, body: { errors: [{ received: "of-analyst of analyst" }] } });
    for (const route of ["POST /schedules/{scheduleId}/pause", "DELETE /schedules/{scheduleId}"])
      expect(await statusOf("operator", route)).toBe(403);
    expect(await schedules("supervisor", "PUT /schedules/{scheduleId}", { params, body: DAILY })).toMatchObject({
      status: 200,
      body: { caller: { id: "analyst" }, changed: { action: "changed", by: { id: "supervisor" } } },
    });
    expect(await statusOf("administrator", "DELETE /schedules/{scheduleId}")).toBe(204);
  });

  it("of a subscriber are all that it sees, and only read", async () => {
    await create("operator", "of-operator");
    expect(await create("subscriber", "of-subscriber")).toMatchObject({ status: 201 });
    expect((await schedules("subscriber", "GET /schedules")).body).toMatchObject({
      schedules: [{ scheduleId: "of-subscriber" }],
    });
    const params = { scheduleId: "of-operator" };
    for (const route of [
      "GET /schedules/{scheduleId}",
      "GET /schedules/{scheduleId}/runs",
      "POST /schedules/{scheduleId}/pause",
      "POST /schedules/{scheduleId}/resume",
      "DELETE /schedules/{scheduleId}",
    ])
      expect((await schedules("subscriber", route, { params })).status).toBe(404);
    expect((await schedules("operator", "GET /schedules/{scheduleId}", { params })).status).toBe(200);
    for (const scheduleId of ["of-operator", "of-subscriber"])
      await schedules("administrator", "DELETE /schedules/{scheduleId}", { params: { scheduleId } });
  });

  it("are made of a template, with what is said in its place", async () => {
    const listed = await schedules("analyst", "GET /schedule-templates");
    const names = (listed.body as { templates: { template: string }[] }).templates.map(({ template }) => template);
    expect(names).toEqual(["billing", "billing-period", "theft", "voltage", "operations"]);
    const made = await schedules("analyst", "POST /schedules", {
      body: {
        scheduleId: "of-template",
        template: "billing",
        target: { kind: "all" },
        timeZone: "Europe/Vienna",
        spreadSeconds: 60,
      },
    });
    expect(made).toMatchObject({
      status: 201,
      body: {
        name: "billing",
        lane: "bulk",
        cron: "0 1 * * *",
        spreadSeconds: 60,
        operation: { kind: "readIntervals", registers: "total" },
        sla: { share: 0.995, withinSeconds: 18_000 },
        template: "billing",
      },
    });
    const params = { scheduleId: "of-template" };
    expect(await schedules("operator", "GET /schedules/{scheduleId}/results", { params })).toMatchObject({
      status: 200,
      body: { results: [] },
    });
    await schedules("analyst", "DELETE /schedules/{scheduleId}", { params });
    const without = await schedules("analyst", "POST /schedules", { body: { target: { kind: "all" } } });
    expect(without).toMatchObject({ status: 400 });
    expect((without.body as { errors: { field: string }[] }).errors.map(({ field }) => field)).toEqual([
      "name",
      "operation",
      "cron",
    ]);
  });

  it("pause and resume, with who did it and why", async () => {
    await create("analyst", "pausing");
    const params = { scheduleId: "pausing" };
    const paused = await schedules("analyst", "POST /schedules/{scheduleId}/pause", {
      params,
      body: { reason: "storm" },
    });
    expect(paused).toMatchObject({
      status: 200,
      body: { enabled: false, changed: { action: "paused", by: { id: "analyst" }, reason: "storm" } },
    });
    expect(paused.body).not.toHaveProperty("nextRunAt");
    const resumed = await schedules("analyst", "POST /schedules/{scheduleId}/resume", { params });
    expect(resumed).toMatchObject({ status: 200, body: { enabled: true, nextRunAt: expect.any(String) } });
  });

  it("tell their next runs, and those of one that is not saved, with what a calendar does to them", async () => {
    const quiet = { timeZone: "UTC", daily: [{ from: "00:00", to: "12:00" }] };
    const put = await calendars("analyst", "PUT /calendars/{calendar}", {
      params: { calendar: "mornings" },
      body: quiet,
    });
    expect(put).toMatchObject({ status: 200, body: { name: "mornings", dates: [] } });
    const timing = { cron: "30 */6 * * *", timeZone: "UTC" };
    const preview = async (runs: "skip" | "move") => {
      const body = { ...timing, blackouts: { calendars: ["mornings"], runs }, count: 4 };
      const answer = await schedules("analyst", "POST /schedules/preview", { body });
      expect(answer.status).toBe(200);
      return (answer.body as { runs: { plannedAt: string; local: string; runsAt?: string; blackout?: string }[] }).runs;
    };
    for (const runs of ["skip", "move"] as const)
      for (const { plannedAt, local, runsAt, blackout } of await preview(runs)) {
        expect(local).toBe(plannedAt.slice(0, 16));
        const morning = Number(local.slice(11, 13)) < 12;
        expect(blackout).toBe(morning ? "mornings" : undefined);
        expect(runsAt).toBe(
          morning ? (runs === "skip" ? undefined : `${plannedAt.slice(0, 11)}12:00:00.000Z`) : plannedAt,
        );
      }
    const kept = {
      ...timing,
      blackouts: { calendars: ["mornings"], runs: "skip" },
      spreadSeconds: 600,
      catchUp: { kind: "none" },
    };
    expect(await create("analyst", "quiet", kept)).toMatchObject({ status: 201, body: kept });
    const params = { scheduleId: "quiet" };
    const runs = await schedules("operator", "GET /schedules/{scheduleId}/runs", { params, query: { count: "3" } });
    expect((runs.body as { runs: unknown[] }).runs).toEqual((await preview("skip")).slice(0, 3));
    const remove = () => calendars("analyst", "DELETE /calendars/{calendar}", { params: { calendar: "mornings" } });
    expect(await remove()).toMatchObject({ status: 409 });
    await schedules("analyst", "DELETE /schedules/{scheduleId}", { params });
    expect((await remove()).status).toBe(204);
    expect((await remove()).status).toBe(404);
  });

  it.each<{ name: string; role: string; routeKey: string; parts: object; status: number; field: string }>([
    {
      name: "a calendar that is not there",
      role: "analyst",
      routeKey: "POST /schedules",
      parts: { body: { ...DAILY, blackouts: { calendars: ["none"], runs: "skip" } } },
      status: 422,
      field: "blackouts.calendars",
    },
    {
      name: "tasks of a job, again and again",
      role: "analyst",
      routeKey: "POST /schedules",
      parts: { body: { ...DAILY, target: { kind: "tasksOf", jobId: "j".repeat(26) } } },
      status: 400,
      field: "target.kind",
    },
    {
      name: "a zone that is none",
      role: "analyst",
      routeKey: "POST /schedules/preview",
      parts: { body: { cron: "0 2 * * *", timeZone: "Europe/Atlantis" } },
      status: 400,
      field: "timeZone",
    },
    {
      name: "a thousand runs",
      role: "analyst",
      routeKey: "POST /schedules/preview",
      parts: { body: { cron: "0 2 * * *", count: 1000 } },
      status: 400,
      field: "count",
    },
  ])("refuse $name", async ({ role, routeKey, parts, status, field }) => {
    const before = await functions.itemsNow();
    const answer = await schedules(role, routeKey, parts);
    expect(answer.status).toBe(status);
    expect((answer.body as { errors: { field: string }[] }).errors[0]?.field).toBe(field);
    expect(await functions.itemsNow()).toBe(before);
  });

  it.each([
    ["subscriber", 403],
    ["operator", 403],
    ["supervisor", 200],
  ] as const)("a calendar put by a %s: %i", async (role, status) => {
    const answer = await calendars(role, "PUT /calendars/{calendar}", {
      params: { calendar: "c" },
      body: { timeZone: "UTC" },
    });
    expect(answer.status).toBe(status);
  });
});
