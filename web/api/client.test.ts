import { describe, expect, it } from "vitest";
import { routes } from "../../shared/api/routes.ts";
import { ApiError, adviceOn } from "./api-error.ts";
import { apiClient, pathOf } from "./client.ts";
import { PATHS } from "./paths.ts";

describe("PATHS", () => {
  it.each(Object.entries(PATHS))("%s says what the table of routes says", (name, told) => {
    const { method, path, roles } = routes[name as keyof typeof PATHS];
    expect(told).toEqual({ method, path, roles });
  });
});

describe("pathOf", () => {
  it.each([
    { path: "/jobs", input: {}, expected: "/jobs" },
    { path: "/meters/{meterId}", input: { params: { meterId: "A.1_b-2" } }, expected: "/meters/A.1_b-2" },
    { path: "/meters/{meterId}", input: { params: { meterId: "a/../b?c" } }, expected: "/meters/a%2F..%2Fb%3Fc" },
    { path: "/meters", input: { query: { search: "a b&c", limit: "5" } }, expected: "/meters?search=a+b%26c&limit=5" },
    { path: "/meters", input: { query: { search: undefined } }, expected: "/meters" },
    {
      path: "/jobs/{jobId}/tasks",
      input: { params: { jobId: "j1" }, query: { state: "failed" } },
      expected: "/jobs/j1/tasks?state=failed",
    },
  ])("$path becomes $expected", ({ path, input, expected }) => expect(pathOf(path, input)).toBe(expected));

  it("refuses a path without its parameter", () => {
    expect(() => pathOf("/meters/{meterId}", { params: {} })).toThrow("meterId");
    expect(() => pathOf("/meters/{meterId}", { params: { meterId: "" } })).toThrow("meterId");
  });
});

/** A server that answers what it is told, in turn, and keeps the requests. */
function serverOf(...answers: readonly (() => Response)[]) {
  const asked: { url: string; headers: Record<string, string>; body: unknown; method: string | undefined }[] = [];
  const fetch = async (url: unknown, init?: RequestInit): Promise<Response> => {
    const { method, headers, body } = init ?? {};
    asked.push({ url: String(url), headers: headers as Record<string, string>, body, method });
    const answer = answers[Math.min(asked.length, answers.length) - 1];
    if (answer === undefined) throw new TypeError("no answer");
    return answer();
  };
  return { asked, fetch: fetch as typeof globalThis.fetch };
}
const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  () =>
    new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });
const clientOf = (fetch: typeof globalThis.fetch, renew = async () => false) =>
  apiClient({ apiBase: "/api", fetch, token: () => "token", renew });
const jobId = "j".repeat(26);

describe("apiClient", () => {
  it("sends token, path and body", async () => {
    const { asked, fetch } = serverOf(json({ jobId, state: "planning" }, 202));
    const request = { operation: { kind: "readRegisters" }, target: { kind: "all" } } as const;
    expect(await clientOf(fetch)("submitJob", { request })).toEqual({ jobId, state: "planning" });
    expect(asked[0]).toMatchObject({ url: "/api/jobs", method: "POST", body: JSON.stringify(request) });
    expect(asked[0]?.headers.authorization).toBe("Bearer token");
  });

  it("asks again by ETag, and gives the very same answer when nothing changed", async () => {
    const { asked, fetch } = serverOf(json({ jobId }, 200, { etag: '"1"' }), () => new Response(null, { status: 304 }));
    const api = clientOf(fetch);
    const first = await api("readJob", { params: { jobId } });
    expect(await api("readJob", { params: { jobId } })).toBe(first);
    expect(asked.map(({ headers }) => headers["if-none-match"])).toEqual([undefined, '"1"']);
  });

  it("renews a refused token once", async () => {
    const { asked, fetch } = serverOf(json({}, 401), json({ groups: [] }));
    expect(await clientOf(fetch, async () => true)("listGroups", {})).toEqual({ groups: [] });
    expect(asked.length).toBe(2);
  });

  it("throws the API's problem, with its fields", async () => {
    const problem = {
      type: "urn:headrace:problem:invalid-request",
      title: "The request is not as expected",
      status: 400,
      detail: "One field.",
      errors: [{ field: "target.group", expected: "1 to 64 letters" }],
    };
    const { fetch } = serverOf(json(problem, 400, { "content-type": "application/problem+json" }));
    const thrown = await clientOf(fetch)("listGroups", {}).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(ApiError);
    expect((thrown as ApiError).problem).toEqual(problem);
  });

  it("makes a problem of a proxy's own page, and of silence", async () => {
    const page = serverOf(() => new Response("<html>", { status: 502, headers: { "content-type": "text/html" } }));
    await expect(clientOf(page.fetch)("listGroups", {})).rejects.toMatchObject({
      problem: { status: 502, type: "urn:headrace:console:unexpected-answer" },
    });
    await expect(clientOf(serverOf().fetch)("listGroups", {})).rejects.toMatchObject({
      problem: { status: 0, type: "urn:headrace:console:unreachable" },
    });
  });

  it("has an advice on every status", () => {
    for (const status of [0, 400, 401, 403, 404, 409, 413, 422, 429, 500, 502, 503])
      expect(adviceOn({ type: "", title: "", status, detail: "" })).toMatch(/\.$/);
  });
});
