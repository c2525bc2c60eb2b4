import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { simulatedToken } from "../../shared/simulator/prepayment-account.ts";
import { Deployment, type JobView, until } from "./deployment.ts";

interface AccountView {
  readonly balance: number;
  readonly supply: { readonly wanted: string; readonly ended?: string; readonly jobId?: string };
}

interface CreditShown {
  readonly entries: readonly {
    readonly jobId: string;
    readonly outcome?: string;
    readonly code?: string;
    readonly meterCredit?: { readonly amount: number };
  }[];
}

describe("credit", () => {
  let headend: Deployment;
  let meterId = "";
  let serial = "";
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
    const { body } = await call<{ meters: { meterId: string; serial: string; profile: { name: string } }[] }>(
      "operator",
      "GET",
      "/meters?limit=100",
    );
    const found = body.meters.find(({ profile }) => profile.name === "generic-eu");
    meterId = found?.meterId ?? "";
    serial = found?.serial ?? "";
  }, 180_000);
  afterAll(async () => {
    expect(await headend.stop()).toBe(0);
  });

  it("at the headend opens a meter's switch when it is used up, and a payment closes it again", async () => {
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

  it("on the meter is topped up once for a payment, and takes each token once", async () => {
    const shown = async (kinds: "command" | "setting", jobId: string) => {
      const path = `/meters/${meterId}/timeline?kinds=${kinds}`;
      const { entries } = (await call<CreditShown>("operator", "GET", path)).body;
      return entries.find((entry) => entry.jobId === jobId);
    };
    const target = { kind: "meters", meterIds: [meterId] };
    const amount = async (): Promise<number> => {
      const { jobId } = await headend.runJob({ operation: { kind: "readCredit" }, target });
      return (await shown("setting", jobId))?.meterCredit?.amount ?? Number.NaN;
    };
    /** Thousandths of the currency, within half of one: what the home uses meanwhile is far less. */
    const near = (value: number) => expect.closeTo(value, -3);

    const before = await amount();
    const payment = {
      operation: { kind: "addCredit", amount: { currency: "EUR", value: 2_500, scaler: -2 } },
      target,
      reason: "payment 4711",
      idempotencyKey: "payment 4711",
    };
    const sent = await Promise.all([1, 2].map(() => call<JobView>("operator", "POST", "/jobs", payment)));
    expect(sent.map(({ status }) => status)).toEqual([202, 202]);
    const [jobId, other] = new Set(sent.map(({ body }) => body.jobId));
    expect(other, "the same key is the same job").toBeUndefined();
    const paid = await headend.jobEnd(jobId ?? "", 60_000);
    expect(paid.progress).toMatchObject({ done: 1 });
    expect(await shown("command", paid.jobId)).toMatchObject({
      outcome: "done",
      meterCredit: { amount: near(before + 25_000) },
    });
    expect(await amount()).toEqual(near(before + 25_000));

    const token = simulatedToken(nodeCrypto, serial, 7, 10_000);
    const enter = (reason: string) =>
      headend.runJob({ operation: { kind: "deliverToken", token }, target, reason }, 60_000);
    expect((await enter("bought at a shop")).progress).toMatchObject({ done: 1 });
    const again = await enter("the same slip again");
    expect(again.progress).toMatchObject({ failed: 1, reasons: { refused: 1 } });
    expect(await amount()).toEqual(near(before + 35_000));
  }, 240_000);
});
