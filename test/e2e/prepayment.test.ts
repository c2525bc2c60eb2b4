import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Deployment, until } from "./deployment.ts";

interface AccountView {
  readonly balance: number;
  readonly supply: { readonly wanted: string; readonly ended?: string; readonly jobId?: string };
}

describe("credit at the headend", () => {
  let headend: Deployment;
  let meterId = "";
  const call = <Body>(role: string, method: string, path: string, body?: unknown) =>
    headend.call<Body>(role, method, path, body);
  const position = async (): Promise<string | undefined> => {
    await headend.runJob({ operation: { kind: "readSwitch" }, target: { kind: "meters", meterIds: [meterId] } });
    const { body } = await call<{ facts?: { switch?: { position: string } } }>("operator", "GET", `/meters/${meterId}`);
    return body.facts?.switch?.position;
  };
  /** Charges and acts until the account's order has ended. */
  const settled = (wanted: string) =>
    until(60_000, `an account whose supply is ${wanted}`, async () => {
      const { body } = await call<AccountView>("operator", "POST", "/prepayment/accounts/HOME-1/settle");
      return body.supply.wanted === wanted && body.supply.ended === "done" ? body : undefined;
    });

  beforeAll(async () => {
    headend = await Deployment.start(["--meters", "20"]);
    const { body } = await call<{ meters: { meterId: string; profile: { name: string } }[] }>(
      "operator",
      "GET",
      "/meters?limit=100",
    );
    meterId = body.meters.find(({ profile }) => profile.name === "generic-eu")?.meterId ?? "";
  }, 180_000);
  afterAll(async () => {
    expect(await headend.stop()).toBe(0);
  });

  it("opens a meter's switch when it is used up, and a payment closes it again", async () => {
    const version = { from: "2020-01-01T00:00:00Z", timeZone: "UTC", standingPerDay: 500, otherwise: "all" };
    const rates = { all: 30_000 };
    await call("supervisor", "PUT", "/prepayment/tariffs/home", {
      currency: "EUR",
      versions: [{ ...version, rates }],
      reason: "as decided",
    });
    await call("supervisor", "PUT", "/prepayment/policies/usual", {
      policy: { disconnectAt: 0, reconnectAt: 100, reconnectTo: "closed", automatic: true },
      reason: "as decided",
    });
    const account = { accountId: "HOME-1", meterId, tariff: "home", policy: "usual" };
    expect((await call("operator", "POST", "/prepayment/accounts", account)).status).toBe(201);
    const pay = (amount: number, idempotencyKey: string) =>
      call<{ account: AccountView }>("operator", "POST", "/prepayment/accounts/HOME-1/payments", {
        amount,
        idempotencyKey,
      });
    expect((await pay(300, "first")).body.account.balance).toBe(300);
    const used = await settled("off");
    expect(used.balance).toBe(-200);
    expect(await position()).toBe("open");
    await Promise.all([pay(1_000, "second"), pay(1_000, "second")]);
    const paid = await settled("on");
    expect(paid.balance).toBe(800);
    expect(await position()).toBe("closed");
  }, 240_000);
});
