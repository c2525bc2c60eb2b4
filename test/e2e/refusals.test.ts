import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Deployment, type Problem } from "./deployment.ts";

const read = (meterId: string) => ({
  operation: { kind: "readRegisters" },
  target: { kind: "meters", meterIds: [meterId] },
});

describe("what the API refuses", () => {
  let headend: Deployment;
  let known: string;

  beforeAll(async () => {
    headend = await Deployment.start(["--meters", "5"]);
    const { body } = await headend.call<{ meters: { meterId: string }[] }>("operator", "GET", "/meters");
    known = body.meters[0]?.meterId ?? "";
    expect(known).not.toBe("");
  }, 180_000);
  afterAll(async () => {
    expect(await headend.stop()).toBe(0);
  });

  const jobCount = async () =>
    (await headend.call<{ jobs: unknown[] }>("operator", "GET", "/jobs?limit=100")).body.jobs.length;

  const rows: readonly (readonly [string, unknown, string])[] = [
    ["no body", {}, "operation"],
    ["an unknown operation", { ...read("x"), operation: { kind: "explode" } }, "operation.kind"],
    ["an unknown target", { ...read("x"), target: { kind: "street" } }, "target.kind"],
    ["an unknown field", { ...read("x"), colour: "red" }, "colour"],
    ["a lane that does not exist", { ...read("x"), lane: "express" }, "lane"],
    ["no passes", { ...read("x"), retry: { passes: 0 } }, "retry.passes"],
    ["a meter id with a blank", read("a b"), "target.meterIds.0"],
  ];
  it.each(rows)("%s: 400 with field and expectation, nothing written", async (_, body, field) => {
    const before = await jobCount();
    const answer = await headend.call<Problem>("operator", "POST", "/jobs", body);
    expect(answer.status).toBe(400);
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
    expect(answer.body.errors?.map((error) => error.field)).toContain(field);
    for (const error of answer.body.errors ?? []) expect(error.expected.length).toBeGreaterThan(3);
    expect(await jobCount()).toBe(before);
  });

  it("a body that is not JSON: 400", async () => {
    const authorization = `Bearer ${await headend.token("operator")}`;
    const answer = await headend.request<Problem>("POST", "/jobs", { authorization }, "{");
    expect(answer.status).toBe(400);
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
  });

  it("an unknown meter: 404, nothing written", async () => {
    const before = await jobCount();
    const answer = await headend.call<Problem>("operator", "POST", "/jobs", read("no-such-meter"));
    expect(answer.status).toBe(404);
    expect(JSON.stringify(answer.body)).toContain("no-such-meter");
    expect((await headend.call<Problem>("operator", "GET", "/meters/no-such-meter")).status).toBe(404);
    expect((await headend.call<Problem>("operator", "GET", "/meters/no-such-meter/readings")).status).toBe(404);
    expect(await jobCount()).toBe(before);
  });

  it("a wrong role: 403, nothing written", async () => {
    const answer = await headend.call<Problem>("analyst", "POST", "/meters", { meterId: "evil" });
    expect(answer.status).toBe(403);
    expect(answer.body.errors?.length ?? 0).toBeGreaterThanOrEqual(0);
    expect((await headend.call("operator", "GET", "/meters/evil")).status).toBe(404);
  });

  it("no token, a forged one, an expired one: 401 as problem+json", async () => {
    const expired = await headend.token("operator", 1);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const good = await headend.token("operator");
    const forged = `${good.slice(0, -6)}AAAAAA`;
    for (const headers of [{}, { authorization: `Bearer ${forged}` }, { authorization: `Bearer ${expired}` }]) {
      const answer = await headend.request<Problem>(
        "POST",
        "/jobs",
        headers as Record<string, string>,
        JSON.stringify(read(known)),
      );
      expect(answer.status).toBe(401);
      expect(answer.headers.get("content-type")).toContain("application/problem+json");
    }
  });

  it("an enrolment with a bad key: 400 that does not repeat the key", async () => {
    const key = "00112233445566778899aabbccddeeff00";
    const answer = await headend.call<Problem>("administrator", "POST", "/meters", {
      meterId: "m-1",
      commodity: "electric",
      serial: "s-1",
      profile: "generic-eu",
      systemTitle: "4852440000000001",
      routes: [{ kind: "dial", host: "127.0.0.1", port: 4059 }],
      keys: { unicast: key },
    });
    expect(answer.status).toBe(400);
    expect(answer.body.errors?.[0]?.field).toBe("keys.unicast");
    expect(JSON.stringify(answer.body)).not.toContain(key);
  });

  it("the description of the API is OpenAPI 3.1 and public", async () => {
    const answer = await headend.request<{ openapi: string; paths: Record<string, unknown> }>(
      "GET",
      "/openapi.json",
      {},
    );
    expect(answer.status).toBe(200);
    expect(answer.body.openapi).toMatch(/^3\.1\./);
    expect(Object.keys(answer.body.paths)).toContain("/jobs");
  });
});
