import { beforeEach, describe, expect, it } from "vitest";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { call, machine, person } from "../../test/http-event.ts";
import { quiet } from "../../test/quiet.ts";
import { httpHandler, refuse } from "./pipeline-http.ts";

const faults = quiet();

const submitted: unknown[] = [];
let fault: Error | undefined;
const handler = httpHandler({
  submitJob: async ({ body, caller }) => {
    if (fault !== undefined) throw fault;
    submitted.push({ body, caller });
    return { status: 202, body: { jobId: "0".repeat(26) as never, state: "planned" } };
  },
  readJob: async ({ params }) => refuse("not-found", `No job ${params.jobId}.`, { field: "jobId", expected: "a job" }),
  listJobs: async ({ query }) => ({ status: 200, body: { jobs: [], cursor: String(query.limit) } }),
  describeApi: async ({ caller }) => ({ status: 200, body: { caller: caller ?? null } }),
});

const body = { operation: { kind: "readRegisters" }, target: { kind: "all" } };
const asOperator = { claims: machine("operator") };

beforeEach(() => {
  submitted.length = 0;
  fault = undefined;
});

describe("the HTTP pipeline", () => {
  it("hands a validated body and the caller to the handler", async () => {
    const answer = await call(handler, "POST /jobs", { ...asOperator, body });
    expect(answer.status).toBe(202);
    expect(submitted).toEqual([{ body, caller: { id: "operator", roles: ["operator"] } }]);
  });

  const refusals: readonly (readonly [string, Parameters<typeof call>[2], number, string])[] = [
    ["a body that is not JSON", { ...asOperator, body: "{" }, 400, "body"],
    ["no body", { ...asOperator }, 400, "body"],
    ["an unknown field", { ...asOperator, body: { ...body, extra: 1 } }, 400, "extra"],
    ["a wrong operation", { ...asOperator, body: { ...body, operation: { kind: "x" } } }, 400, "operation.kind"],
    ["a wrong role", { claims: machine("administrator"), body }, 403, "authorization"],
    ["a role of nobody", { claims: machine("emperor"), body }, 403, "authorization"],
    ["no token", { claims: null, body }, 401, "authorization"],
    ["an identity token", { claims: { ...machine("operator"), token_use: "id" }, body }, 401, "authorization"],
    ["a query that the route lacks", { ...asOperator, body, query: { x: "1" } }, 400, "x"],
  ];
  it.each(refusals)("refuses %s and runs nothing", async (_, parts, status, field) => {
    const answer = await call(handler, "POST /jobs", parts);
    expect(answer.status).toBe(status);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(answer.body).toMatchObject({ status, errors: [{ field }], correlationId: "request-1" });
    expect((answer.body as { errors: { expected: string }[] }).errors[0]?.expected).not.toBe("");
    expect(submitted).toEqual([]);
  });

  it("gives people their roles by group, not by the scope of their client", async () => {
    expect((await call(handler, "POST /jobs", { claims: person("operator"), body })).status).toBe(202);
    const claims = { ...person("analyst"), "cognito:groups": "[nobody]", scope: "openid headrace/operator" };
    expect((await call(handler, "POST /jobs", { claims, body })).status).toBe(403);
  });

  it("answers a refusal of the domain as problem+json", async () => {
    const answer = await call(handler, "GET /jobs/{jobId}", { ...asOperator, params: { jobId: "1".repeat(26) } });
    expect(answer).toMatchObject({ status: 404, body: { type: "urn:headrace:problem:not-found" } });
  });

  it("gives queries their defaults", async () => {
    expect(await call(handler, "GET /jobs", asOperator)).toMatchObject({ status: 200, body: { cursor: "25" } });
  });

  it("asks no token on a public route", async () => {
    expect(await call(handler, "GET /openapi.json", { claims: null })).toMatchObject({ body: { caller: null } });
  });

  it("answers a fault without its message, and logs it by correlation id", async () => {
    fault = new Error("table headrace-secret");
    const answer = await call(handler, "POST /jobs", { ...asOperator, body });
    expect(answer.status).toBe(500);
    expect(JSON.stringify(answer.body)).not.toContain("table");
    expect(answer.body).toMatchObject({ correlationId: "request-1" });
    expect(faults).toHaveBeenLastCalledWith("failed", expect.objectContaining({ problem: "table headrace-secret" }));
  });

  it("answers 503 where trying again helps", async () => {
    fault = new HeadraceError("x.busy", "busy", { retry: "later" });
    expect((await call(handler, "POST /jobs", { ...asOperator, body })).status).toBe(503);
  });
});
