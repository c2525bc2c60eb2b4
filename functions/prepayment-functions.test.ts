import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type HttpFunctions, httpFunctions, meter } from "./http-functions-fixture.ts";

let functions: HttpFunctions;
const put = (what: string, name: string, body: object) =>
  functions.ask("manage-prepayment", "supervisor", `PUT /prepayment/${what}/{name}`, { params: { name }, body });
const TARIFF = {
  currency: "EUR",
  versions: [
    { from: "2020-01-01T00:00:00Z", timeZone: "UTC", standingPerDay: 500, rates: { all: 30_000 }, otherwise: "all" },
  ],
  reason: "as decided",
};
const POLICY = { warnAt: [1_000], disconnectAt: 0, reconnectAt: 100, reconnectTo: "closed", automatic: true };
const open = (accountId: string, meterId: string) =>
  functions.ask("manage-prepayment", "operator", "POST /prepayment/accounts", {
    body: { accountId, meterId, tariff: "home", policy: "usual" },
  });
const post = (accountId: string, what: string, body?: object, role = "operator") =>
  functions.ask("manage-prepayment", role, `POST /prepayment/accounts/{accountId}/${what}`, {
    params: { accountId },
    ...(body === undefined ? {} : { body }),
  });
const pay = (accountId: string, amount: number, idempotencyKey: string) =>
  post(accountId, "payments", { amount, idempotencyKey });
interface Supply {
  readonly wanted: string;
  readonly order: number;
  readonly jobId?: string;
  readonly because?: string;
}
const supplyOf = ({ body }: { readonly body?: unknown }) =>
  ((body as { account?: object }).account ?? body) as { readonly balance: number; readonly supply: Supply };
const job = async (jobId: string | undefined) =>
  (await functions.ask("read-jobs", "operator", "GET /jobs/{jobId}", { params: { jobId: jobId ?? "" } })).body as {
    readonly operation: object;
    readonly reason: string;
    readonly lane: string;
  };

beforeAll(async () => {
  functions = await httpFunctions();
  for (const number of [1, 2, 3])
    await functions.ask("enrol-meter", "administrator", "POST /meters", { body: meter(number) });
  await put("tariffs", "home", TARIFF);
  await put("policies", "usual", { policy: POLICY, reason: "as decided" });
});
afterAll(() => functions.close());

describe("an account", () => {
  it("is opened once for a meter, and only with a tariff and a policy that are there", async () => {
    expect(await open("A-1", "M-1")).toMatchObject({ status: 201, body: { balance: 0, currency: "EUR", entries: 0 } });
    expect((await open("A-1", "M-1")).status).toBe(200);
    expect((await open("A-9", "M-1")).status).toBe(409);
    expect((await open("A-8", "M-99")).status).toBe(404);
    const bad = await put("tariffs", "bad", { ...TARIFF, versions: [{ ...TARIFF.versions[0], otherwise: "other" }] });
    expect(bad.status).toBe(422);
    const policy = { ...POLICY, reconnectAt: 0 };
    expect((await put("policies", "bad", { policy, reason: "x" })).status).toBe(422);
  });

  it("is credited once for each key, and shows its entries", async () => {
    expect(await pay("A-1", 300, "p1")).toMatchObject({ status: 200, body: { entry: { seq: 1 } } });
    expect(supplyOf(await pay("A-1", 300, "p1")).balance).toBe(300);
    expect(await pay("A-1", 301, "p1")).toMatchObject({ status: 409, body: { errors: [{ field: "idempotencyKey" }] } });
    expect((await pay("A-1", 0, "p2")).status).toBe(400);
    expect((await pay("A-7", 1, "p1")).status).toBe(404);
    const list = await functions.ask("manage-prepayment", "analyst", "GET /prepayment/accounts/{accountId}/entries", {
      params: { accountId: "A-1" },
    });
    expect(list.body).toMatchObject({ entries: [{ kind: "payment", amount: 300, balance: 300 }] });
  });

  it("has its switch opened when the credit is used up, and closed by the payment", async () => {
    const used = supplyOf(await post("A-1", "settle"));
    expect(used).toMatchObject({ balance: -200, supply: { wanted: "off", order: 1 } });
    expect(await job(used.supply.jobId)).toMatchObject({
      operation: { kind: "operateSwitch", to: "open" },
      lane: "commands",
      reason: "credit of A-1 is used up",
    });
    expect(supplyOf(await post("A-1", "settle"))).toMatchObject({ balance: -200, supply: { order: 1 } });
    const paid = supplyOf(await pay("A-1", 1_000, "p3"));
    expect(paid).toMatchObject({ balance: 800, supply: { wanted: "on", order: 2 } });
    expect(await job(paid.supply.jobId)).toMatchObject({ operation: { kind: "operateSwitch", to: "closed" } });
    const timeline = await functions.ask("read-timeline", "operator", "GET /meters/{meterId}/timeline", {
      params: { meterId: "M-1" },
      query: { kinds: "event" },
    });
    expect((timeline.body as { entries: { event: string }[] }).entries.map(({ event }) => event).sort()).toEqual(
      expect.arrayContaining(["credit.low", "credit.used-up"]),
    );
  });

  it("is not cut off in friendly hours, nor where somebody depends on the supply", async () => {
    const calendar = { name: "always", timeZone: "UTC", seasons: [{ from: "01-01", to: "12-31" }] };
    await put("policies", "friendly", { policy: { ...POLICY, friendly: calendar }, reason: "winter" });
    await functions.ask("manage-prepayment", "operator", "POST /prepayment/accounts", {
      body: { accountId: "A-2", meterId: "M-2", tariff: "home", policy: "friendly" },
    });
    expect(supplyOf(await post("A-2", "settle")).supply).toMatchObject({
      wanted: "on",
      order: 0,
      because: "prepayment.friendly-hours",
    });
    await functions.ask("manage-authority", "supervisor", "PUT /meters/{meterId}/flags", {
      params: { meterId: "M-3" },
      body: { medical: true, priority: false, moratorium: false, reason: "a ventilator" },
    });
    await open("A-3", "M-3");
    expect(supplyOf(await post("A-3", "settle")).supply).toMatchObject({ order: 0, because: "switch.medical" });
  });

  it("is closed with a reason: payments are refused then, and its meter may have another", async () => {
    const closed = await post("A-3", "close", { reason: "moved out" }, "supervisor");
    expect(closed).toMatchObject({ status: 200, body: { state: "closed" } });
    expect((await pay("A-3", 5, "late")).status).toBe(409);
    expect((await open("A-4", "M-3")).status).toBe(201);
  });
});
