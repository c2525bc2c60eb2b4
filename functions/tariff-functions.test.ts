import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CALENDAR } from "../test/conformance/calendars.ts";
import { type HttpFunctions, httpFunctions, meter } from "./http-functions-fixture.ts";

let functions: HttpFunctions;
beforeAll(async () => {
  functions = await httpFunctions();
  await functions.ask("enrol-meter", "administrator", "POST /meters", { body: meter(1) });
});
afterAll(() => functions.close());

const price = (value: number) => ({ currency: "EUR", value, scaler: -4 });
const CONTENT = {
  calendar: CALENDAR,
  prices: [1, 2, 3].map((tier) => ({ tier, price: price(1000 * tier) })),
  criticalPeak: price(9000),
};
const VERSION = "/tariffs/{tariffId}/versions/{version}";
const params = (version: number) => ({ tariffId: "residential", version: String(version) });
const put = (role: string, version: number, body: object) =>
  functions.ask("manage-tariffs", role, `PUT ${VERSION}`, { params: params(version), body });

describe("tariffs behind the API", () => {
  it("are made by supervisors, version by version, and never change", async () => {
    expect((await put("operator", 1, CONTENT)).status).toBe(403);
    expect(await put("supervisor", 1, CONTENT)).toMatchObject({ status: 201, body: { version: 1, content: CONTENT } });
    expect((await put("supervisor", 1, CONTENT)).status).toBe(200);
    expect((await put("supervisor", 1, { ...CONTENT, description: "other" })).status).toBe(409);
    expect((await put("supervisor", 2, { ...CONTENT, prices: CONTENT.prices.slice(1) })).status).toBe(400);
    const read = await functions.ask("manage-tariffs", "analyst", `GET ${VERSION}`, { params: params(1) });
    expect(read).toMatchObject({ status: 200, body: { content: CONTENT } });
    expect((await functions.ask("manage-tariffs", "analyst", `GET ${VERSION}`, { params: params(7) })).status).toBe(
      404,
    );
    const list = await functions.ask("manage-tariffs", "analyst", "GET /tariffs");
    expect((list.body as { tariffs: object[] }).tariffs).toHaveLength(1);
  });

  it("are brought onto meters by a job that programs and one that proves, the same for the same key", async () => {
    const activateAt = new Date(Math.ceil(Date.now() / 3_600_000) * 3_600_000 + 86_400_000).toISOString();
    const body = {
      target: { kind: "meters", meterIds: [meter(1).meterId] },
      activateAt: activateAt.replace(".000Z", "Z"),
      reason: "new prices",
      idempotencyKey: "winter",
    };
    const rollout = (role: string, version = 1) =>
      functions.ask("submit-job", role, `POST ${VERSION}/rollouts`, { params: params(version), body });
    expect((await rollout("analyst")).status).toBe(403);
    expect((await rollout("operator", 9)).status).toBe(404);
    const first = await rollout("operator");
    expect(first).toMatchObject({ status: 202, body: { program: { jobId: expect.any(String) }, proof: {} } });
    expect((await rollout("operator")).body).toMatchObject({
      program: { jobId: (first.body as { program: { jobId: string } }).program.jobId },
    });
    const report = await functions.ask("manage-tariffs", "analyst", `GET ${VERSION}/meters`, { params: params(1) });
    expect(report).toMatchObject({ status: 200, body: { counts: { active: 0, differs: 0 }, meters: [] } });
  });
});
