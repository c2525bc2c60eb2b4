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
    const count = async (filter: object) =>
      (await ask("manage-queries", "analyst", "POST /queries/preview", { body: { filter } })).body;
    expect(await count({ group: ["north"] })).toEqual({ meters: 4, complete: true });
    expect(await count({ group: ["pilot", "north"] })).toEqual({ meters: 4, complete: true });
    expect(await count({ group: ["north"], idPrefix: "M-" })).toEqual({ meters: 3, complete: true });
    expect(await count({ group: ["north"], feeder: ["F-9"] })).toEqual({ meters: 0, complete: true });
    expect(await count({ commodity: ["gas"] })).toEqual({ meters: 0, complete: true });
    const body = { name: "x-meters", filter: { idPrefix: "X-", commodity: ["electric"] } };
    expect(await ask("manage-queries", "analyst", "POST /queries", { body })).toMatchObject({ status: 201 });
    expect(await ask("manage-queries", "analyst", "POST /queries", { body })).toMatchObject({ status: 409 });
    const params = { query: "x-meters" };
    expect(await ask("manage-queries", "subscriber", "GET /queries/{query}/count", { params })).toMatchObject({
      body: { meters: 1, complete: true },
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
