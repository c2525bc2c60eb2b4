import { describe, expect, it } from "vitest";
import type { EffectSession } from "../metering/effect.ts";
import type { OnceOperation } from "../metering/operation.ts";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { type Lab, lab, meterSession } from "./meter-lab-fixture.ts";
import { PRICE_A_KWH, simulatedToken } from "./prepayment-account.ts";

const TEN = { currency: "EUR", value: 10, scaler: 0 } as const;
const accountOf = ({ meter }: Lab) => {
  const { account } = meter.parts;
  if (account === undefined) throw new Error("the meter keeps no credit");
  return account;
};

async function withEffects<T>(of: Lab, run: (effects: EffectSession) => Promise<T>): Promise<T> {
  const session = await meterSession(of);
  if (session.effects === undefined) throw new Error("no effects");
  try {
    return await run(session.effects);
  } finally {
    await session.release();
  }
}
const carriedOut = (of: Lab, operation: OnceOperation) =>
  withEffects(of, async (effects) => {
    const { baseline } = await effects.baseline(operation);
    const answer = await effects.operate(operation);
    return { baseline, answer, verdict: await effects.prove(operation, baseline) };
  });

describe("the credit that a meter keeps", () => {
  it("is read, and is used up by what is consumed, without a word of the headend", async () => {
    const of = lab("generic-eu");
    const read = async () => (await (await meterSession(of)).perform({ kind: "readCredit" })).meterCredit;
    const first = await read();
    expect(first).toMatchObject({
      currency: { name: "EUR", scaler: -3, unit: "money" },
      mode: "credit",
      account: "active",
      status: "in-use",
      amount: accountOf(of).amount,
    });
    of.clock.pass(86_400_000);
    const later = await read();
    const used = (first?.amount ?? 0) - (later?.amount ?? 0);
    expect(used).toBeGreaterThan(PRICE_A_KWH);
    expect((later?.collected ?? 0) - (first?.collected ?? 0)).toBe(used);
  });

  it("is topped up once, and proved by what was ever put in, however much is used meanwhile", async () => {
    const of = lab("generic-eu");
    const before = accountOf(of).state.funds;
    const operation = { kind: "addCredit", amount: TEN } as const;
    const { baseline, answer, verdict } = await carriedOut(of, operation);
    expect(answer).toEqual({ kind: "accepted" });
    expect(verdict).toMatchObject({ kind: "happened", shown: { meterCredit: { amount: accountOf(of).amount } } });
    expect(accountOf(of).state.funds).toBe(before + 10_000);
    of.clock.pass(5 * 86_400_000);
    const proved = await withEffects(of, (effects) => effects.prove(operation, baseline));
    expect(proved.kind).toBe("happened");
  });

  it("that was acknowledged and not given is found not to have happened", async () => {
    const of = lab("generic-eu", { fault: "hollow-credit" });
    const { answer, verdict } = await carriedOut(of, { kind: "addCredit", amount: TEN });
    expect(answer.kind).toBe("accepted");
    expect(verdict.kind).toBe("did-not-happen");
  });

  it("which somebody else has topped up by another amount, or by a token, cannot be told", async () => {
    const of = lab("generic-eu");
    const operation = { kind: "addCredit", amount: TEN } as const;
    const { baseline } = await withEffects(of, (effects) => effects.baseline(operation));
    accountOf(of).update(3_000);
    const proved = () => withEffects(of, (effects) => effects.prove(operation, baseline));
    expect(await proved()).toMatchObject({ kind: "cannot-tell", code: "dlms.credit-amount" });
    accountOf(of).update(-3_000);
    expect((await proved()).kind).toBe("did-not-happen");
    accountOf(of).enter(Buffer.from(simulatedToken(nodeCrypto, of.meter.plan.serial, 9, 10_000), "hex"));
    expect(await proved()).toMatchObject({ kind: "cannot-tell", code: "dlms.credit-other-token" });
  });

  it.each([
    ["another currency", { currency: "CHF", value: 1, scaler: 0 }, "dlms.credit-currency"],
    ["less than the meter counts", { currency: "EUR", value: 1, scaler: -4 }, "dlms.credit-amount"],
    ["more than it holds", { currency: "EUR", value: 2_147_483_647, scaler: -3 }, "dlms.credit-full"],
  ])("takes no top-up of %s, and nothing is sent", async (_, amount, code) => {
    const of = lab("generic-eu");
    const before = accountOf(of).state;
    await expect(carriedOut(of, { kind: "addCredit", amount })).rejects.toMatchObject({ code });
    expect(accountOf(of).state).toEqual(before);
  });

  it("opens the switch of who pays before when it is used up", async () => {
    const of = lab("generic-eu");
    accountOf(of).setMode("prepayment-mode");
    accountOf(of).update(1_000 - accountOf(of).amount);
    of.clock.pass(10 * 86_400_000);
    const session = await meterSession(of);
    expect((await session.perform({ kind: "readCredit" })).meterCredit).toMatchObject({
      mode: "prepayment",
      status: "exhausted",
    });
    of.clock.pass(1_000);
    expect((await session.perform({ kind: "readSwitch" })).switch?.position).toBe("armed");
  });

  it("is kept by no model whose profile has none", async () => {
    const of = lab("idis-p2");
    await expect(meterSession(of).then((session) => session.perform({ kind: "readCredit" }))).rejects.toMatchObject({
      code: "profile.no-prepayment",
    });
  });
});

describe("a token", () => {
  const tokenFor = (of: Lab, id = 1): OnceOperation => ({
    kind: "deliverToken",
    token: simulatedToken(nodeCrypto, of.meter.plan.serial, id, 7_000),
  });

  it("is delivered, executed, and proved by its own octets", async () => {
    const of = lab("generic-eu");
    const before = accountOf(of).state.funds;
    const { verdict } = await carriedOut(of, tokenFor(of));
    expect(verdict).toMatchObject({ kind: "happened", shown: { meterCredit: { token: { state: "executed" } } } });
    expect(accountOf(of).state.funds).toBe(before + 7_000);
  });

  it("that was executed is not sent again, and one that was used before is refused by the meter", async () => {
    const of = lab("generic-eu");
    await carriedOut(of, tokenFor(of, 1));
    await expect(carriedOut(of, tokenFor(of, 1))).rejects.toMatchObject({ code: "dlms.token-used" });
    await carriedOut(of, tokenFor(of, 2));
    const { funds } = accountOf(of).state;
    const { verdict } = await carriedOut(of, tokenFor(of, 1));
    expect(verdict).toMatchObject({ kind: "refused", code: "dlms.token-validation-failure" });
    expect(accountOf(of).state.funds).toBe(funds);
  });

  it.each([
    ["of another meter", (token: string) => `${token.slice(0, -2)}00`, "dlms.token-authentication-failure"],
    ["of another length", (token: string) => token.slice(2), "dlms.token-format-failure"],
  ])("%s is refused", async (_, changed, code) => {
    const of = lab("generic-eu");
    const token = tokenFor(of);
    if (token.kind !== "deliverToken") throw new Error("no token");
    const { verdict } = await carriedOut(of, { kind: "deliverToken", token: changed(token.token) });
    expect(verdict).toMatchObject({ kind: "refused", code });
  });

  it("that came again by hand after it was executed is never called refused", async () => {
    const of = lab("generic-eu");
    const token = tokenFor(of);
    if (token.kind !== "deliverToken") throw new Error("no token");
    const { baseline } = await carriedOut(of, token);
    of.clock.pass(2_000);
    accountOf(of).enter(Buffer.from(token.token, "hex"));
    const verdict = await withEffects(of, (effects) => effects.prove(token, baseline));
    expect(verdict).toMatchObject({ kind: "cannot-tell", code: "dlms.token-twice" });
  });

  it("after which another one came cannot be told", async () => {
    const of = lab("generic-eu");
    const token = tokenFor(of);
    const { baseline } = await withEffects(of, (effects) => effects.baseline(token));
    expect((await withEffects(of, (effects) => effects.prove(token, baseline))).kind).toBe("did-not-happen");
    of.clock.pass(2_000);
    accountOf(of).enter(Buffer.from(simulatedToken(nodeCrypto, of.meter.plan.serial, 5, 1), "hex"));
    const verdict = await withEffects(of, (effects) => effects.prove(token, baseline));
    expect(verdict).toMatchObject({ kind: "cannot-tell", code: "dlms.credit-other-token" });
  });
});
