import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { call } from "../test/http-event.ts";
import { type HttpFunctions, httpFunctions, meter } from "./http-functions-fixture.ts";

let functions: HttpFunctions;
beforeAll(async () => {
  functions = await httpFunctions();
});
afterAll(() => functions.close());

const ask: HttpFunctions["ask"] = (...asked) => functions.ask(...asked);
const enrol = (body: object) => ask("enrol-meter", "administrator", "POST /meters", { body });

describe("the functions behind the API", () => {
  it("enrol, find and show meters", async () => {
    for (const number of [1, 2, 3])
      expect(await enrol(meter(number))).toMatchObject({ status: 201, body: { outcome: "enrolled", segment: 0 } });
    expect(await enrol(meter(1))).toMatchObject({ status: 200, body: { outcome: "unchanged" } });
    const shown = await ask("read-meters", "operator", "GET /meters/{meterId}", { params: { meterId: "M-2" } });
    expect(shown).toMatchObject({ status: 200, body: { meterId: "M-2", state: "enrolled", slot: 1, secured: false } });
    const idsOf = async (query: Record<string, string>) => {
      const { body } = await ask("read-meters", "analyst", "GET /meters", { query });
      const { meters, cursor } = body as { meters: { meterId: string }[]; cursor?: string };
      return [meters.map(({ meterId }) => meterId), cursor];
    };
    expect(await idsOf({ limit: "2" })).toEqual([["M-1", "M-2"], "M-2"]);
    expect(await idsOf({ limit: "2", cursor: "M-2" })).toEqual([["M-3"], undefined]);
    expect(await idsOf({ search: "S-3" })).toEqual([["M-3"], undefined]);
    expect(await idsOf({ search: "M-" })).toEqual([["M-1", "M-2", "M-3"], undefined]);
    expect(await idsOf({ group: "north", limit: "2" })).toEqual([["M-1", "M-2"], "0.2"]);
  });

  it("change groups", async () => {
    const change = (body: object) =>
      ask("manage-groups", "operator", "PUT /groups/{group}", { params: { group: "pilot" }, body });
    expect(await change({ description: "first", add: ["M-1", "M-3"] })).toMatchObject({
      status: 200,
      body: { group: "pilot", description: "first", meters: 2, meterIds: ["M-1", "M-3"] },
    });
    expect(await change({ remove: ["M-1"] })).toMatchObject({ body: { meters: 1, meterIds: ["M-3"] } });
    const list = () => ask("manage-groups", "operator", "GET /groups");
    const counted = await list();
    expect(counted).toMatchObject({
      body: {
        groups: [
          { group: "north", meters: 3 },
          { group: "pilot", meters: 1 },
        ],
      },
    });
    // Not counted again, which the instant of the count tells, until members change.
    expect((await list()).body).toEqual(counted.body);
    await change({ add: ["M-2"] });
    expect(await list()).toMatchObject({
      body: {
        groups: [
          { group: "north", meters: 3 },
          { group: "pilot", meters: 2 },
        ],
      },
    });
  });

  it("set how many sessions a collector may have at once", async () => {
    const params = { wayIn: "collector:K1" };
    const way = { wayIn: "collector:K1", leased: 0, leases: [] };
    const read = () => ask("manage-ways-in", "operator", "GET /ways-in/{wayIn}", { params });
    const limit = (body: object, of = params) =>
      ask("manage-ways-in", "operator", "PUT /ways-in/{wayIn}", { params: of, body });
    expect(await read()).toMatchObject({ status: 200, body: { ...way, limit: 8, isDefault: true } });
    expect(await limit({ limit: 3 })).toMatchObject({ status: 200, body: { ...way, limit: 3, isDefault: false } });
    expect(await read()).toMatchObject({ body: { limit: 3 } });
    expect(await limit({ limit: null })).toMatchObject({ body: { limit: 8, isDefault: true } });
    expect(await limit({ limit: -1 })).toMatchObject({ status: 400, body: { errors: [{ field: "limit" }] } });
    expect(await limit({ limit: 1 }, { wayIn: "dial" })).toMatchObject({ status: 400 });
  });

  it("count the fleet and list the meters behind a figure", async () => {
    const nobody = { part: 0, of: 3, rate: 0 };
    expect(await ask("read-kpis", "analyst", "GET /kpis")).toMatchObject({
      status: 200,
      body: { active: 3, communication: [{ window: "hour", all: nobody, silent: 3 }, {}, {}], schedules: [] },
    });
    const list = (query: Record<string, string>) => ask("read-kpis", "operator", "GET /kpis/meters", { query });
    const first = await list({ list: "silent", window: "day", limit: "2" });
    expect(first).toMatchObject({ status: 200, body: { meters: [{ meterId: "M-1" }, { meterId: "M-2" }] } });
    const { cursor } = first.body as { cursor: string };
    const last = await list({ list: "silent", window: "day", limit: "2", cursor });
    expect((last.body as { meters: object[] }).meters).toEqual([{ meterId: "M-3" }]);
    expect(last.body).not.toHaveProperty("cursor");
    expect(await ask("read-kpis", "analyst", "GET /kpis/history")).toMatchObject({ status: 200, body: { days: [] } });
  });

  it("take a job, show it with an ETag, list its tasks and cancel it once", async () => {
    const body = {
      operation: { kind: "readRegisters" },
      target: { kind: "meters", meterIds: ["M-1"] },
      idempotencyKey: "a",
    };
    const accepted = await ask("submit-job", "operator", "POST /jobs", { body });
    expect(accepted).toMatchObject({ status: 202, body: { state: "running" } });
    const params = { jobId: (accepted.body as { jobId: string }).jobId };
    expect((await ask("submit-job", "operator", "POST /jobs", { body })).body).toMatchObject(params);
    const shown = await ask("read-jobs", "operator", "GET /jobs/{jobId}", { params });
    expect(shown).toMatchObject({ status: 200, body: { lane: "interactive", progress: { open: 1, done: 0 } } });
    const headers = { "if-none-match": String(shown.headers.etag) };
    const again = await ask("read-jobs", "operator", "GET /jobs/{jobId}", { params, headers });
    expect(again).toMatchObject({ status: 304, body: undefined });
    expect(await ask("read-jobs", "operator", "GET /jobs/{jobId}/tasks", { params })).toMatchObject({
      body: { tasks: [{ meterId: "M-1", state: "open" }] },
    });
    const cancel = () => ask("cancel-job", "operator", "POST /jobs/{jobId}/cancel", { params });
    expect(await cancel()).toMatchObject({ status: 202, body: { state: "closed" } });
    expect(await cancel()).toMatchObject({ status: 409, body: { errors: [{ field: "jobId" }] } });
    expect(await ask("read-jobs", "operator", "GET /jobs")).toMatchObject({
      body: { jobs: [{ ...params, progress: { open: 0, cancelled: 1 } }] },
    });
  });

  it("keep schedules", async () => {
    const body = {
      scheduleId: "daily",
      name: "daily",
      operation: { kind: "readIntervals", lastSeconds: 86_400 },
      target: { kind: "group", group: "north" },
      cron: "0 2 * * *",
      timeZone: "Europe/Vienna",
    };
    const made = await ask("manage-schedules", "analyst", "POST /schedules", { body });
    expect(made).toMatchObject({ status: 201, body: { scheduleId: "daily", enabled: true } });
    expect((made.body as { nextRunAt: string }).nextRunAt).toMatch(/T0[01]:00:00/);
    expect(await ask("manage-schedules", "analyst", "POST /schedules", { body })).toMatchObject({ status: 409 });
    const { scheduleId: _, ...rest } = body;
    const params = { scheduleId: "daily" };
    const off = { ...rest, enabled: false };
    const changed = await ask("manage-schedules", "analyst", "PUT /schedules/{scheduleId}", { params, body: off });
    expect(changed).toMatchObject({ status: 200, body: { enabled: false } });
    expect(changed.body).not.toHaveProperty("nextRunAt");
    expect((await ask("manage-schedules", "analyst", "DELETE /schedules/{scheduleId}", { params })).status).toBe(204);
    expect((await ask("manage-schedules", "analyst", "GET /schedules/{scheduleId}", { params })).status).toBe(404);
  });

  it("answer readings of a meter that has none yet", async () => {
    const asked = await ask("read-readings", "analyst", "GET /meters/{meterId}/readings", {
      params: { meterId: "M-1" },
    });
    expect(asked).toMatchObject({ status: 200, body: { meterId: "M-1", registers: [], intervals: [] } });
  });
});

const read = { operation: { kind: "readRegisters" }, target: { kind: "meters", meterIds: ["nobody"] } };
const refusals: readonly (readonly [string, string, string, string, Parameters<typeof call>[2], number, string])[] = [
  ["an unknown meter in a job", "submit-job", "operator", "POST /jobs", { body: read }, 404, "target.meterIds"],
  [
    "an unknown group in a job",
    "submit-job",
    "operator",
    "POST /jobs",
    { body: { ...read, target: { kind: "group", group: "x" } } },
    404,
    "target",
  ],
  [
    "a deadline in the past",
    "submit-job",
    "operator",
    "POST /jobs",
    { body: { ...read, deadline: "2020-01-01T00:00:00Z" } },
    422,
    "deadline",
  ],
  ["a role that only enrols", "submit-job", "administrator", "POST /jobs", { body: read }, 403, "authorization"],
  [
    "a meter of an unknown profile",
    "enrol-meter",
    "administrator",
    "POST /meters",
    { body: meter(9, { profile: "x" }) },
    422,
    "profile",
  ],
  [
    "another meter's serial",
    "enrol-meter",
    "administrator",
    "POST /meters",
    { body: meter(9, { serial: "S-1" }) },
    409,
    "serial",
  ],
  [
    "another route of a known meter",
    "enrol-meter",
    "administrator",
    "POST /meters",
    { body: meter(1, { routes: [{ kind: "dial", host: "127.0.0.9", port: 4059 }] }) },
    409,
    "routes",
  ],
  [
    "an unknown member",
    "manage-groups",
    "operator",
    "PUT /groups/{group}",
    { params: { group: "new" }, body: { add: ["nobody"] } },
    422,
    "add.0",
  ],
  [
    "a recurrence that is none",
    "manage-schedules",
    "analyst",
    "POST /schedules",
    { body: { name: "x", operation: { kind: "readRegisters" }, target: { kind: "all" }, cron: "99 * * * *" } },
    400,
    "cron",
  ],
  [
    "readings of an unknown meter",
    "read-readings",
    "operator",
    "GET /meters/{meterId}/readings",
    { params: { meterId: "nobody" } },
    404,
    "meterId",
  ],
  [
    "readings of half a year",
    "read-readings",
    "operator",
    "GET /meters/{meterId}/readings",
    { params: { meterId: "M-1" }, query: { from: "2026-01-01T00:00:00Z", to: "2026-06-01T00:00:00Z" } },
    400,
    "from",
  ],
  [
    "a subscriber who lists parked work",
    "manage-groups",
    "subscriber",
    "PUT /groups/{group}",
    {},
    403,
    "authorization",
  ],
  [
    "an effect that a subscriber asks for",
    "submit-job",
    "subscriber",
    "POST /jobs",
    { body: { ...read, operation: { kind: "resetDemand" } } },
    403,
    "operation.kind",
  ],
  [
    "a query that is not stored",
    "submit-job",
    "operator",
    "POST /jobs",
    { body: { ...read, target: { kind: "query", query: "none" } } },
    404,
    "target.query",
  ],
  [
    "a job that waits for none",
    "submit-job",
    "operator",
    "POST /jobs",
    { body: { ...read, target: { kind: "all" }, after: { jobId: "j".repeat(26), on: "done" } } },
    404,
    "after.jobId",
  ],
  [
    "the silent meters of no window",
    "read-kpis",
    "analyst",
    "GET /kpis/meters",
    { query: { list: "silent" } },
    400,
    "window",
  ],
  ["key figures for a subscriber", "read-kpis", "subscriber", "GET /kpis", {}, 403, "authorization"],
  [
    "a filter without a condition",
    "manage-queries",
    "analyst",
    "POST /queries/preview",
    { body: { filter: {} } },
    400,
    "filter",
  ],
  [
    "a query that a subscriber would store",
    "manage-queries",
    "subscriber",
    "POST /queries",
    { body: { name: "q", filter: { idPrefix: "M" } } },
    403,
    "authorization",
  ],
];

describe("what is refused", () => {
  it.each(refusals)(
    "%s: problem+json with field and expectation, nothing written",
    async (_, name, role, routeKey, parts, status, field) => {
      const before = await functions.itemsNow();
      const answer = await ask(name, role, routeKey, parts);
      expect(answer.status).toBe(status);
      expect(answer.headers["content-type"]).toBe("application/problem+json");
      const { errors } = answer.body as { errors: { field: string; expected: string }[] };
      expect(errors[0]?.field).toBe(field);
      expect(errors[0]?.expected.length).toBeGreaterThan(3);
      expect(await functions.itemsNow()).toBe(before);
    },
  );

  it("exchange a meter for another one at its service point", async () => {
    const params = { meterId: "M-70" };
    const at = new Date(Math.floor(Date.now() / 1000) * 1000).toISOString();
    expect(await enrol(meter(70, { servicePoint: "SP-7" }))).toMatchObject({ status: 201 });
    expect(await enrol(meter(71, { servicePoint: "SP-7" }))).toMatchObject({
      status: 409,
      body: { errors: [{ field: "servicePoint" }] },
    });
    const { memberships: _groups, ...next } = meter(71);
    const finalReads = [{ measurement: "energy.active.import.total", value: "4711", scaler: 0 }];
    const body = { at, reason: "display broken", finalReads, meter: next };
    const exchange = (role: string, change: object = {}) =>
      ask("enrol-meter", role, "POST /meters/{meterId}/exchange", { params, body: { ...body, ...change } });
    expect(await exchange("operator")).toMatchObject({ status: 403 });
    expect(await exchange("administrator", { meter: { ...next, commodity: "gas" } })).toMatchObject({
      status: 422,
      body: { errors: [{ field: "meter.commodity" }] },
    });
    const answer = { meterId: "M-71", replaces: "M-70", servicePoint: "SP-7" };
    expect(await exchange("administrator")).toMatchObject({ status: 201, body: { ...answer, outcome: "exchanged" } });
    expect(await exchange("administrator")).toMatchObject({ status: 200, body: { ...answer, outcome: "unchanged" } });
    expect(await exchange("administrator", { meter: meter(72) })).toMatchObject({ status: 409 });

    const shown = await ask("read-meters", "operator", "GET /meters/{meterId}", { params });
    expect(shown).toMatchObject({
      body: { state: "retired", servicePoint: "SP-7", retired: { at, replacedBy: "M-71" } },
    });
    const found = await ask("read-meters", "operator", "GET /meters", { query: { search: "SP-7" } });
    expect(found).toMatchObject({ body: { meters: [{ meterId: "M-71", memberships: { groups: ["north"] } }] } });
    const job = (meterIds: string[]) =>
      ask("submit-job", "operator", "POST /jobs", {
        body: { operation: { kind: "readRegisters" }, target: { kind: "meters", meterIds } },
      });
    expect(await job(["M-70"])).toMatchObject({ status: 404, body: { errors: [{ field: "target.meterIds" }] } });
    expect(await job(["M-71"])).toMatchObject({ status: 202 });
    const from = new Date(Date.now() - 3_600_000).toISOString();
    const path = { params: { servicePoint: "SP-7" }, query: { from } };
    expect(await ask("read-readings", "operator", "GET /service-points/{servicePoint}/readings", path)).toMatchObject({
      status: 200,
      body: {
        servicePoint: "SP-7",
        meters: [
          { meterId: "M-70", retiredAt: at, snapshots: [{ kind: "removal", registers: [{ value: "4711" }] }] },
          { meterId: "M-71", installedAt: at, snapshots: [] },
        ],
      },
    });
    for (const [meterId, what] of [
      ["M-70", "meter.retired"],
      ["M-71", "meter.installed"],
    ] as const)
      expect(
        await ask("read-timeline", "operator", "GET /meters/{meterId}/timeline", {
          params: { meterId },
          query: { kinds: "change" },
        }),
      ).toMatchObject({ body: { entries: [{ at, what, detail: { servicePoint: "SP-7" } }] } });
    expect(await ask("read-audit", "supervisor", "GET /audit", { query: { meterId: "M-70" } })).toMatchObject({
      body: { intact: true, entries: [{ action: "meter.exchange" }, { reason: "display broken" }] },
    });
  });
});
