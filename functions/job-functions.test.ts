import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HttpFunctions, httpFunctions, meter } from "./http-functions-fixture.ts";

let functions: HttpFunctions;
beforeAll(async () => {
  functions = await httpFunctions();
  for (const number of [1, 2, 3]) await enrol(meter(number));
});
afterAll(() => functions.close());

const ask: HttpFunctions["ask"] = (...asked) => functions.ask(...asked);
const enrol = (body: object) => ask("enrol-meter", "administrator", "POST /meters", { body });

describe("jobs behind the API", () => {
  it("pause a job, resume it, and keep who did it and why", async () => {
    const body = { operation: { kind: "readRegisters" }, target: { kind: "meters", meterIds: ["M-2"] } };
    const { jobId } = (await ask("submit-job", "operator", "POST /jobs", { body })).body as { jobId: string };
    const steer = (what: string, asked?: object) =>
      ask("pause-job", "supervisor", `POST /jobs/{jobId}/${what}`, {
        params: { jobId },
        ...(asked === undefined ? {} : { body: asked }),
      });
    expect(await steer("resume")).toMatchObject({ status: 409, body: { errors: [{ expected: "a paused job" }] } });
    expect(await steer("pause", { reason: "storm" })).toMatchObject({ status: 202, body: { state: "paused" } });
    expect(await steer("resume")).toMatchObject({ status: 202, body: { state: "running" } });
    expect((await ask("read-jobs", "operator", "GET /jobs/{jobId}", { params: { jobId } })).body).toMatchObject({
      state: "running",
      steps: [{ action: "paused", by: { id: "supervisor" }, reason: "storm" }, { action: "resumed" }],
    });
    expect(
      await ask("submit-job", "operator", "POST /jobs/{jobId}/clone", { params: { jobId }, body: {} }),
    ).toMatchObject({ status: 422, body: { errors: [{ field: "target" }] } });
  });

  it("store queries, count what matches, and take them as targets", async () => {
    await ask("manage-groups", "operator", "PUT /groups/{group}", {
      params: { group: "pilot" },
      body: { add: ["M-2"] },
    });
    await enrol(meter(4, { meterId: "X-4", memberships: { groups: ["north", "pilot"] } }));
    const preview = async (filter: object) =>
      (await ask("manage-queries", "analyst", "POST /queries/preview", { body: { filter } })).body as {
        readonly rows: readonly { readonly meterId: string }[];
      };
    const found = (...meterIds: string[]) => ({
      meters: meterIds.length,
      complete: true,
      rows: meterIds.map((meterId) => expect.objectContaining({ meterId })),
    });
    expect(await preview({ group: ["north"] })).toMatchObject(found("M-1", "M-2", "M-3", "X-4"));
    expect(await preview({ group: ["pilot", "north"] })).toMatchObject(found("M-1", "M-2", "M-3", "X-4"));
    expect(await preview({ group: ["north"], idPrefix: "M-" })).toMatchObject(found("M-1", "M-2", "M-3"));
    expect(await preview({ group: ["north"], feeder: ["F-9"] })).toMatchObject(found());
    expect(await preview({ commodity: ["gas"] })).toMatchObject({
      ...found(),
      sentence: expect.stringContaining("gas"),
    });
    const without = { kind: "not", of: { kind: "group", in: ["pilot"] } };
    expect(await preview(without)).toMatchObject(found("M-1", "M-3"));
    expect(await preview({ kind: "all", of: [without, { kind: "meterId", in: ["M-1", "M-2"] }] })).toMatchObject(
      found("M-1"),
    );
    expect(await preview({ kind: "missingYesterday", known: false })).toMatchObject(found("M-1", "M-2", "M-3", "X-4"));
    const body = { name: "x-meters", filter: { idPrefix: "X-", commodity: ["electric"] } };
    expect(await ask("manage-queries", "analyst", "POST /queries", { body })).toMatchObject({ status: 201 });
    expect(await ask("manage-queries", "analyst", "POST /queries", { body })).toMatchObject({ status: 409 });
    const params = { query: "x-meters" };
    expect(await ask("manage-queries", "subscriber", "GET /queries/{query}/count", { params })).toMatchObject({
      body: { meters: 1, complete: true, asOf: expect.any(String) },
    });
    expect(await ask("manage-queries", "operator", "GET /queries/{query}/rows", { params })).toMatchObject({
      body: { over: "meters", rows: [{ meterId: "X-4", group: ["north", "pilot"], profile: "generic-eu-public" }] },
    });
    const page = await ask("manage-queries", "operator", "GET /queries/{query}/rows", {
      params,
      query: { limit: "1" },
    });
    const { cursor } = page.body as { readonly cursor: string };
    const next = { params, query: { limit: "1", cursor } };
    expect((await ask("manage-queries", "operator", "GET /queries/{query}/rows", next)).body).toMatchObject({
      rows: [],
    });
    const job = { operation: { kind: "ping", depth: "meter" }, target: { kind: "query", query: "x-meters" } };
    const accepted = await ask("submit-job", "analyst", "POST /jobs", { body: { ...job, idempotencyKey: "q" } });
    expect(accepted).toMatchObject({ status: 202, body: { state: "planning" } });
    const { jobId } = accepted.body as { jobId: string };
    expect(functions.invoked).toEqual([{ function: "plan-job", input: { jobId } }]);
    const listed = await ask("read-jobs", "analyst", "GET /jobs", { query: { limit: "1" } });
    expect(listed).toMatchObject({ body: { jobs: [{ target: job.target, filter: body.filter, state: "planning" }] } });
    expect((await ask("manage-queries", "analyst", "DELETE /queries/{query}", { params })).status).toBe(204);
    expect((await ask("manage-queries", "analyst", "GET /queries/{query}", { params })).status).toBe(404);
  });

  it("find a query where it is shared, take it as a target there only, and let its owner remove it", async () => {
    const filter = { kind: "meterId", startsWith: "M-" };
    const save = (role: string, body: object) => ask("manage-queries", role, "POST /queries", { body });
    expect(await save("analyst", { name: "own", filter, sharing: { kind: "private" } })).toMatchObject({
      status: 201,
      body: { over: "meters", sentence: "Meters of which the meter id begins with M-." },
    });
    const roles = { kind: "roles", roles: ["operator"] };
    expect(await save("analyst", { name: "shared", filter, sharing: roles })).toMatchObject({ status: 201 });
    const finds = async (role: string) =>
      ((await ask("manage-queries", role, "GET /queries")).body as { queries: { name: string }[] }).queries.map(
        ({ name }) => name,
      );
    expect(await finds("analyst")).toEqual(["own", "shared"]);
    expect(await finds("operator")).toEqual(["shared"]);
    expect(await finds("subscriber")).toEqual([]);
    expect(await finds("supervisor")).toEqual(["own", "shared"]);
    const submit = (query: string) =>
      ask("submit-job", "operator", "POST /jobs", {
        body: { operation: { kind: "readRegisters" }, target: { kind: "query", query } },
      });
    expect(await submit("own")).toMatchObject({ status: 404, body: { errors: [{ field: "target.query" }] } });
    expect(await submit("shared")).toMatchObject({ status: 202 });
    const drop = (role: string, query: string) =>
      ask("manage-queries", role, "DELETE /queries/{query}", { params: { query } });
    expect((await drop("operator", "own")).status).toBe(404);
    expect((await drop("operator", "shared")).status).toBe(403);
    expect((await drop("analyst", "shared")).status).toBe(204);
    expect((await drop("supervisor", "own")).status).toBe(204);
  });

  it("do the same to the jobs that a query finds, once a key, each looked at again", async () => {
    const read = { operation: { kind: "readVoltage" }, target: { kind: "meters", meterIds: ["M-3"] } };
    const made: string[] = [];
    for (const number of [1, 2, 3]) {
      const body = { ...read, reason: `bulk ${number}` };
      made.unshift(((await ask("submit-job", "supervisor", "POST /jobs", { body })).body as { jobId: string }).jobId);
    }
    const live = ["planning", "planned", "running", "paused"];
    const filter = {
      kind: "all",
      of: [
        { kind: "caller", in: ["supervisor"] },
        { kind: "state", in: live },
        { kind: "operation", in: ["readVoltage"] },
      ],
    };
    const saved = { name: "live-reads", over: "jobs", filter };
    expect((await ask("manage-queries", "supervisor", "POST /queries", { body: saved })).status).toBe(201);
    const act = (role: string, body: object) =>
      ask("submit-job", role, "POST /queries/{query}/actions", { params: { query: "live-reads" }, body });
    const pause = { action: "pause", reason: "storm", idempotencyKey: "p", limit: 2 };
    expect(await act("administrator", pause)).toMatchObject({ status: 403 });
    expect(await act("subscriber", { ...pause, idempotencyKey: "s" })).toMatchObject({ body: { results: [] } });
    const paused = await act("operator", pause);
    expect(paused).toMatchObject({
      status: 200,
      body: { more: true, results: made.slice(0, 2).map((jobId) => ({ jobId, outcome: "done" })) },
    });
    expect((await act("operator", pause)).body).toEqual(paused.body); // told again, nothing is done again
    expect(await act("operator", { ...pause, action: "cancel" })).toMatchObject({
      status: 409,
      body: { errors: [{ field: "idempotencyKey" }] },
    });
    const [first = ""] = made;
    const shown = await ask("read-jobs", "operator", "GET /jobs/{jobId}", { params: { jobId: first } });
    expect(shown.body).toMatchObject({
      state: "paused",
      steps: [{ action: "paused", by: { id: "operator" }, reason: "storm" }],
    });
    const cancel = { action: "cancel", reason: "storm over", idempotencyKey: "c" };
    expect((await act("operator", cancel)).body).toMatchObject({
      more: false,
      results: made.map((jobId) => ({ jobId, outcome: "done" })),
    });
    expect((await act("operator", { ...cancel, idempotencyKey: "d" })).body).toMatchObject({ results: [] });
    const { entries } = (await ask("read-audit", "supervisor", "GET /audit", { query: { by: "operator" } })).body as {
      entries: { action: string; detail: Record<string, string> }[];
    };
    expect(entries.filter(({ action }) => action.startsWith("jobs.")).map(({ detail }) => detail.jobs)).toEqual(
      expect.arrayContaining(["2", "3"]),
    );
  });

  it("find jobs by what they are, who asked and how their tasks ended", async () => {
    const ping = { operation: { kind: "ping", depth: "network" }, target: { kind: "meters", meterIds: ["M-1"] } };
    const { jobId } = (await ask("submit-job", "supervisor", "POST /jobs", { body: ping })).body as { jobId: string };
    const preview = async (filter: object, role = "analyst") =>
      (await ask("manage-queries", role, "POST /queries/preview", { body: { over: "jobs", filter } })).body;
    const own = {
      kind: "all",
      of: [
        { kind: "caller", in: ["supervisor"] },
        { kind: "operation", in: ["ping"] },
      ],
    };
    expect(await preview(own)).toMatchObject({
      over: "jobs",
      jobs: 1,
      complete: true,
      rows: [{ jobId, state: "running", tasks: 1, open: 1, done: 0, reason: [] }],
    });
    expect(await preview(own, "subscriber")).toMatchObject({ jobs: 0, rows: [] });
    expect(await preview({ kind: "all", of: [own, { kind: "open", from: 2 }] })).toMatchObject({ jobs: 0 });
    expect(await preview({ kind: "all", of: [own, { kind: "open", from: 1 }] })).toMatchObject({ jobs: 1 });
    const body = { name: "pings", over: "jobs", filter: own };
    expect(await ask("manage-queries", "analyst", "POST /queries", { body })).toMatchObject({ status: 201 });
    const params = { query: "pings" };
    expect(await ask("manage-queries", "analyst", "GET /queries/{query}/rows", { params })).toMatchObject({
      body: { over: "jobs", rows: [{ jobId }] },
    });
    expect(await ask("manage-queries", "analyst", "GET /queries/{query}/count", { params })).toMatchObject({
      body: { jobs: 1 },
    });
    const job = { operation: { kind: "readRegisters" }, target: { kind: "query", query: "pings" } };
    expect(await ask("submit-job", "operator", "POST /jobs", { body: job })).toMatchObject({ status: 404 });
  });

  it("show a subscriber its own jobs and nobody else's", async () => {
    const body = { operation: { kind: "readRegisters" }, target: { kind: "meters", meterIds: ["M-3"] } };
    const own = (await ask("submit-job", "subscriber", "POST /jobs", { body })).body as { jobId: string };
    const other = (await ask("submit-job", "operator", "POST /jobs", { body })).body as { jobId: string };
    expect(await ask("read-jobs", "subscriber", "GET /jobs")).toMatchObject({ body: { jobs: [own] } });
    const asked: readonly (readonly [string, string])[] = [
      ["read-jobs", "GET /jobs/{jobId}"],
      ["read-jobs", "GET /jobs/{jobId}/tasks"],
      ["pause-job", "POST /jobs/{jobId}/pause"],
      ["pause-job", "POST /jobs/{jobId}/resume"],
      ["cancel-job", "POST /jobs/{jobId}/cancel"],
    ];
    for (const [name, routeKey] of asked) {
      expect((await ask(name, "subscriber", routeKey, { params: { jobId: other.jobId } })).status).toBe(404);
      expect((await ask(name, "subscriber", routeKey, { params: { jobId: own.jobId } })).status).toBeLessThan(300);
    }
    const params = { jobId: other.jobId };
    expect(await ask("submit-job", "subscriber", "POST /jobs/{jobId}/clone", { params, body: {} })).toMatchObject({
      status: 404,
    });
    const waiting = { ...body, after: { ...params, on: "closed" } };
    expect(await ask("submit-job", "subscriber", "POST /jobs", { body: waiting })).toMatchObject({ status: 404 });
    expect((await ask("read-jobs", "operator", "GET /jobs/{jobId}", { params })).body).toMatchObject({
      state: "running",
    });
  });

  it("say what each failure means", async () => {
    const { failures } = (await ask("describe-api", "operator", "GET /failures")).body as {
      failures: { reason: string; retry: string; hint: string }[];
    };
    expect(failures).toContainEqual({ reason: "timeout", retry: "later", hint: expect.stringContaining("signal") });
    expect(failures.every(({ hint }) => hint.length > 10)).toBe(true);
  });
});

describe("a meter behind the API", () => {
  it("retires though none replaces it, and its service point is given to another one", async () => {
    const params = { meterId: "M-75" };
    const at = new Date(Math.floor(Date.now() / 1000) * 1000).toISOString();
    expect(await enrol(meter(75, { servicePoint: "SP-8" }))).toMatchObject({ status: 201 });
    const body = { at, reason: "house was pulled down" };
    const retire = (role: string, change: object = {}) =>
      ask("enrol-meter", role, "POST /meters/{meterId}/retirement", { params, body: { ...body, ...change } });
    expect(await retire("operator")).toMatchObject({ status: 403 });
    const soon = new Date(Date.now() + 3_600_000).toISOString();
    expect(await retire("administrator", { at: `${soon.slice(0, 19)}Z` })).toMatchObject({
      status: 422,
      body: { errors: [{ field: "at" }] },
    });
    expect(await retire("administrator")).toMatchObject({ status: 201, body: { outcome: "retired", retired: { at } } });
    expect(await retire("administrator")).toMatchObject({ status: 200, body: { outcome: "unchanged" } });
    expect(await retire("administrator", { at: new Date(Date.parse(at) - 9_000).toISOString() })).toMatchObject({
      status: 409,
    });
    const shown = await ask("read-meters", "operator", "GET /meters/{meterId}", { params });
    expect(shown).toMatchObject({ body: { state: "retired", secured: false, retired: { at } } });
    const read = { operation: { kind: "readRegisters" }, target: { kind: "meters", meterIds: ["M-75"] } };
    expect(await ask("submit-job", "operator", "POST /jobs", { body: read })).toMatchObject({ status: 404 });
    expect(await enrol(meter(76, { servicePoint: "SP-8" }))).toMatchObject({ status: 201 });
  });
});
