import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HttpApi, type HttpRoute, type LocalAnswer } from "./http-api.ts";

interface Event {
  readonly routeKey: string;
  readonly rawPath: string;
  readonly rawQueryString: string;
  readonly queryStringParameters?: Record<string, string>;
  readonly pathParameters?: Record<string, string>;
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly isBase64Encoded: boolean;
}

/** Answers with the event that it got. */
const echo = {
  invoke: async (event: string) => ({ failed: false, payload: JSON.stringify({ statusCode: 200, body: event }) }),
};
const answering = (payload: unknown, failed = false) => ({
  invoke: async () => ({ failed, payload: JSON.stringify(payload) }),
});
const route = (key: string, target: HttpRoute["target"] = echo): HttpRoute => ({ key, target, scopes: [] });

describe("the HTTP API", () => {
  const api = new HttpApi(
    [
      route("GET /meters/{meterId}"),
      route("GET /meters/all"),
      route("POST /jobs"),
      route("ANY /files/{path+}"),
      route("GET /plain", answering({ jobs: [] })),
      route("GET /broken", answering({ errorMessage: "secret detail" }, true)),
      route(
        "GET /octets",
        answering({
          statusCode: 201,
          headers: { "content-type": "image/png" },
          cookies: ["a=1", "b=2"],
          body: Buffer.from([1, 2, 3]).toString("base64"),
          isBase64Encoded: true,
        }),
      ),
    ],
    { apiId: "api", account: "000000000000" },
    new Map<string, LocalAnswer>([
      ["GET /local/processes", () => ({ processes: [] })],
      ["POST /local/power", (body: unknown) => ({ body })],
    ]),
  );
  let url: string;
  beforeAll(async () => {
    ({ url } = await api.start(0));
  });
  afterAll(() => api.close());
  const event = async (path: string, init?: RequestInit) =>
    (await (await fetch(`${url}${path}`, init)).json()) as Event;

  it("gives a function the event of payload format 2.0", async () => {
    const got = await event("/meters/m%2F1?group=a&group=b&limit=5", { headers: { "X-Two": "1" } });
    expect(got).toMatchObject({
      version: "2.0",
      routeKey: "GET /meters/{meterId}",
      pathParameters: { meterId: "m/1" },
      rawQueryString: "group=a&group=b&limit=5",
      queryStringParameters: { group: "a,b", limit: "5" },
      isBase64Encoded: false,
      requestContext: { http: { method: "GET" }, stage: "$default", apiId: "api" },
    });
    expect(got.headers["x-two"]).toBe("1");
    expect(got.body).toBeUndefined();
  });

  it("takes a fixed path before one with parameters, and a greedy one last", async () => {
    expect((await event("/meters/all")).routeKey).toBe("GET /meters/all");
    expect((await event("/files/a/b", { method: "DELETE" })).pathParameters).toEqual({ path: "a/b" });
  });

  it("hands text on as text and octets in base64", async () => {
    const json = await event("/jobs", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"a":1}',
    });
    expect(json).toMatchObject({ body: '{"a":1}', isBase64Encoded: false });
    const headers = { "content-type": "application/octet-stream" };
    const octets = await event("/jobs", { method: "POST", headers, body: new Uint8Array([255, 0]) });
    expect(octets).toMatchObject({ body: "/wA=", isBase64Encoded: true });
  });

  it("answers what the function says: structured, or as it is", async () => {
    expect(await (await fetch(`${url}/plain`)).json()).toEqual({ jobs: [] });
    const octets = await fetch(`${url}/octets`);
    expect(octets.status).toBe(201);
    expect(octets.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(new Uint8Array(await octets.arrayBuffer())).toEqual(new Uint8Array([1, 2, 3]));
    expect(await (await fetch(`${url}/local/processes`)).json()).toEqual({ processes: [] });
    const told = await fetch(`${url}/local/power`, { method: "POST", body: '{"on":false}' });
    expect(await told.json()).toEqual({ body: { on: false } });
    expect((await fetch(`${url}/local/power`, { method: "POST", body: "{" })).status).toBe(400);
  });

  it.each([
    { name: "no route", path: "/elsewhere", status: 404, kind: "not-found" },
    { name: "a function that fails", path: "/broken", status: 500, kind: "internal" },
  ])("answers a problem for $name", async ({ path, status, kind }) => {
    const answer = await fetch(`${url}${path}`);
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    const problem = await answer.text();
    expect(JSON.parse(problem)).toMatchObject({ type: `urn:headrace:problem:${kind}`, status });
    expect(problem).not.toContain("secret detail");
  });

  it.each(["with its length", "in chunks"])("refuses a body over 10 MB, sent %s", async (how) => {
    const body = Buffer.alloc(10 * 1024 * 1024 + 1);
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sent = request(`${url}/jobs`, { method: "POST" }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      sent.on("error", reject);
      if (how === "with its length") sent.setHeader("content-length", body.length);
      for (let at = 0; at < body.length; at += 65_536) sent.write(body.subarray(at, at + 65_536));
      sent.end();
    });
    expect(status).toBe(413);
  });
});
