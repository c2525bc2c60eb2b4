import { describe, expect, it } from "vitest";
import { z } from "zod";
import { openApi } from "./openapi.ts";
import type { ApiRoute } from "./route.ts";
import { routes } from "./routes.ts";

const entries: readonly (readonly [string, ApiRoute])[] = Object.entries(routes);

describe("the table of routes", () => {
  it("gives each method and path once", () => {
    const seen = entries.map(([, route]) => `${route.method} ${route.path}`);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it.each(entries)("%s: its path parameters are those of its schema", (_, route) => {
    const named = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    const shape = route.params instanceof z.ZodObject ? Object.keys(route.params.shape) : [];
    expect(shape.sort()).toEqual(named.sort());
  });

  it.each(entries)("%s: only the description is public", (name, route) => {
    expect(route.roles === "public").toBe(name === "describeApi");
    expect(route.roles.length).toBeGreaterThan(0);
  });

  it.each(entries)("%s: a body with an unknown field is refused", (_, route) => {
    if (route.request === undefined) return;
    if (route.path.startsWith("/openadr3/")) return; // its clients may say more, and get it back
    const answer = route.request.safeParse({ surprise: 1 });
    expect(answer.success).toBe(false);
    if (!answer.success) expect(answer.error.issues.some((issue) => issue.code === "unrecognized_keys")).toBe(true);
  });
});

describe("job submission", () => {
  it("turns instants into whole-second milliseconds", () => {
    const body = routes.submitJob.request.parse({
      operation: {
        kind: "readIntervals",
        range: { from: "2026-11-22T00:00:00.400Z", to: "2026-11-23T01:00:00+01:00" },
      },
      target: { kind: "all" },
      deadline: "2026-11-24T00:00:00Z",
    });
    expect(body.operation).toEqual({
      kind: "readIntervals",
      range: { from: Date.UTC(2026, 10, 22), to: Date.UTC(2026, 10, 23) },
    });
    expect(body.deadline).toBe(Date.UTC(2026, 10, 24));
  });

  it("refuses a range that ends before it begins", () => {
    const answer = routes.submitJob.request.safeParse({
      operation: { kind: "readIntervals", range: { from: "2026-11-23T00:00:00Z", to: "2026-11-22T00:00:00Z" } },
      target: { kind: "all" },
    });
    expect(answer.error?.issues[0]?.path).toEqual(["operation", "range", "to"]);
  });

  it("writes a job's instants back as ISO 8601", () => {
    const wire = z.encode(routes.readJob.response, {
      jobId: "0123456789abcdefghijklmnop" as never,
      operation: { kind: "readIntervals", range: { from: Date.UTC(2026, 0, 1), to: Date.UTC(2026, 0, 2) } },
      target: { kind: "all" },
      lane: "bulk",
      state: "running",
      createdAt: 0,
      deadline: Date.UTC(2026, 0, 3),
      retry: { passes: 3, backoffSeconds: 60 },
      caller: { id: "operator" },
    });
    expect(wire.operation).toEqual({
      kind: "readIntervals",
      range: { from: "2026-01-01T00:00:00.000Z", to: "2026-01-02T00:00:00.000Z" },
    });
    expect(wire.createdAt).toBe("1970-01-01T00:00:00.000Z");
  });
});

describe("the OpenAPI description", () => {
  const document = openApi("1.2.3") as {
    readonly openapi: string;
    readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly responses: object }>>>>;
    readonly components: { readonly responses: object; readonly schemas: object };
  };

  it("has every route", () => {
    expect(document.openapi).toBe("3.1.0");
    for (const [, route] of entries) expect(document.paths[route.path]?.[route.method.toLowerCase()]).toBeDefined();
  });

  it("refers only to what it holds", () => {
    for (const [, target] of JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(\w+\/\w+)"/g)) {
      const [kind, name] = (target ?? "").split("/");
      expect(Object.keys(document.components[kind as "schemas"])).toContain(name);
    }
  });

  it("describes the wire, not the inside: instants are date-time strings", () => {
    const text = JSON.stringify(document.paths["/jobs"]?.post);
    expect(text).toContain('"format":"date-time"');
    expect(text).toContain('"additionalProperties":false');
  });
});

describe("a group route", () => {
  const body = {
    title: ".23.7.0.1",
    members: { kind: "group", group: "north" },
    profile: "generic-us",
    points: [
      { kind: "relay", host: "192.0.2.1", port: 1153, path: [".23.7.1000001"] },
      { kind: "multicast", address: "239.192.0.1", port: 1153 },
    ],
    keyId: 9,
    key: "ab".repeat(16),
  };

  it("is written back as it was taken, without its key", () => {
    const { key: _, ...route } = routes.putGroupRoute.request.parse(body);
    const profile = { name: "generic-us", version: 1 };
    const shown = z.encode(routes.readGroupRoute.response, { ...route, route: "north", profile, version: 1 });
    expect(shown).toMatchObject({
      title: ".23.7.0.1",
      windowSeconds: 300,
      points: [{ transport: "tcp" }, { hops: 1 }],
    });
  });

  it.each([
    ["points", { points: [] }],
    ["points", { points: [{ kind: "multicast", address: "192.0.2.1", port: 1153 }] }],
    ["key", { key: "ab" }],
    ["members", { members: { kind: "meters", meterIds: ["M-1"] } }],
    ["windowSeconds", { windowSeconds: 1 }],
  ])("is refused for its %s", (field, change) => {
    const answer = routes.putGroupRoute.request.safeParse({ ...body, ...change });
    expect(answer.error?.issues[0]?.path[0]).toBe(field);
  });
});
