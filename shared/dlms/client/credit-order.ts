import type { EffectAnswer, EffectBaseline, EffectSession, EffectVerdict } from "../../metering/effect.ts";
import { SessionError } from "../../metering/failure.ts";
import { type CreditAmount, METER_AMOUNT_MAX, type MeterCredit } from "../../metering/meter-credit.ts";
import type { OnceOperation } from "../../metering/operation.ts";
import type { DlmsProfile } from "../../metering/profile.ts";
import type { OperationResult } from "../../metering/result.ts";
import { fromHex } from "../../ports/octets.ts";
import { methodOf } from "../objects/interface-class.ts";
import { Credit, TokenGateway } from "../objects/prepayment.ts";
import { effectAnswer } from "./action-answer.ts";
import { type CreditRead, meterCredit, prepaymentOf } from "./meter-credit.ts";
import type { MeterTime } from "./meter-time.ts";
import { requireProof } from "./proven-session.ts";
import type { DlmsSession } from "./session.ts";

/** How a procedure waits for the meter. */
export interface Pauses {
  sleep(ms: number): Promise<void>;
}
interface Reads extends Pauses {
  time(): Promise<MeterTime>;
}

/** How long a token may be on its way through the meter, and how often it is looked at. */
const TOKEN_LOOKS = 5;
const TOKEN_PAUSE_MS = 1_000;
const PENDING: ReadonlySet<string> = new Set(["received", "format-ok", "authentication-ok", "validation-ok"]);
const FAILED: ReadonlySet<string> = new Set([
  "format-failure",
  "authentication-failure",
  "validation-failure",
  "execution-failure",
]);

const resultOf = ({ shown }: CreditRead): OperationResult => ({
  registers: [],
  intervals: [],
  refusals: [],
  meterCredit: shown,
});

/** A top-up in the meter's own unit. Throws `SessionError` `unsupported`: another currency, or not a whole number of its units. */
export function amountFor({ currency, value, scaler }: CreditAmount, meter: MeterCredit["currency"]): number {
  if (meter.unit !== "money" || meter.name !== currency)
    throw new SessionError("unsupported", "dlms.credit-currency", `the meter does not count in ${currency}`, {
      detail: { name: meter.name, unit: meter.unit },
    });
  const shift = scaler - meter.scaler;
  const amount = shift >= 0 ? value * 10 ** shift : value / 10 ** -shift;
  if (!Number.isInteger(amount) || amount > METER_AMOUNT_MAX)
    throw new SessionError("unsupported", "dlms.credit-amount", "the amount is no number of the meter's units", {
      detail: { scaler: meter.scaler },
    });
  return amount;
}

/**
 * Top-ups (Credit, update_amount) and tokens (Token gateway, enter). A top-up is proved by what was ever put in: what is left and
 * what the charges have collected rise together by just its amount, and no token came in between. A token is proved by its
 * own octets in the gateway, and what the meter says became of them.
 */
export function creditOrder(session: DlmsSession, profile: DlmsProfile["dlms"], reads: Reads): EffectSession {
  const read = (): Promise<CreditRead> => meterCredit(session, profile, reads);
  const gateway = (): string => {
    const { tokenGateway } = prepaymentOf(profile);
    if (tokenGateway === undefined)
      throw new SessionError(
        "unsupported",
        "profile.no-token-gateway",
        "the device profile describes no token gateway",
      );
    return tokenGateway;
  };

  /** As the baseline read it: between the last look and the effect's frames nothing is asked. */
  let currency: MeterCredit["currency"] | undefined;
  const add = async (amount: CreditAmount): Promise<EffectAnswer> => {
    if (currency === undefined)
      throw new SessionError("internal", "dlms.no-baseline", "expected a baseline before the effect");
    const method = methodOf(Credit, Credit.methods.updateAmount, prepaymentOf(profile).credit);
    const { result } = await session.invoke(method, amountFor(amount, currency));
    return effectAnswer(result);
  };
  const deliver = async (token: string): Promise<EffectAnswer> => {
    const { result } = await session.invoke(
      methodOf(TokenGateway, TokenGateway.methods.enter, gateway()),
      fromHex(token),
    );
    const answer = effectAnswer(result);
    for (let looks = 0; answer.kind === "accepted" && looks < TOKEN_LOOKS; looks++) {
      const { token: shown } = (await read()).shown;
      if (shown === undefined || shown.octets !== token || !PENDING.has(shown.state)) break;
      await reads.sleep(TOKEN_PAUSE_MS);
    }
    return answer;
  };

  return {
    async baseline(operation) {
      requireProof(profile);
      const now = await read();
      if (now.shown.account !== "active")
        throw new SessionError("refused", "dlms.account-inactive", "the meter's account is not active");
      check(operation, now.shown, gateway);
      currency = now.shown.currency;
      return { before: resultOf(now), baseline: baselineOf(now) };
    },
    operate: async (operation) => {
      if (operation.kind === "addCredit") return add(operation.amount);
      if (operation.kind === "deliverToken") return deliver(operation.token);
      throw unknownEffect();
    },
    async prove(operation, baseline) {
      const now = await read();
      const verdict = verdictOf(operation, baseline, now);
      return { ...verdict, shown: resultOf(now) };
    },
  };
}

const unknownEffect = (): SessionError =>
  new SessionError("unsupported", "dlms.effect", "this driver does not know the effect");

/** Whether the order can be carried out and proved here. */
function check(operation: OnceOperation, shown: MeterCredit, gateway: () => string): void {
  if (operation.kind === "addCredit") {
    const amount = amountFor(operation.amount, shown.currency);
    if (shown.amount + amount > METER_AMOUNT_MAX)
      throw new SessionError("refused", "dlms.credit-full", "the meter's credit would be too large for it");
    return;
  }
  if (operation.kind !== "deliverToken") throw unknownEffect();
  gateway();
  if (shown.token?.octets === operation.token && shown.token.state === "executed")
    throw new SessionError("refused", "dlms.token-used", "the meter has executed this token already");
}

const baselineOf = ({ shown: { token, currency }, funds }: CreditRead): EffectBaseline => ({
  funds: String(funds),
  scaler: String(currency.scaler),
  // The octets of a token may be longer than an entry: its end tells it as well.
  ...(token === undefined ? {} : { token: token.octets.slice(-64), tokenAt: String(token.at ?? "none") }),
});

/** What changed between baseline and now. Pure. */
export function verdictOf(
  operation: OnceOperation,
  baseline: EffectBaseline,
  { shown, funds }: CreditRead,
): EffectVerdict {
  const before = Number(baseline.funds);
  if (!Number.isInteger(before)) return { kind: "cannot-tell", code: "dlms.no-proof" };
  const { octets, at, state } = shown.token ?? { octets: undefined, at: undefined, state: undefined };
  const tokenCame =
    baseline.token !== octets?.slice(-64) || (octets !== undefined && baseline.tokenAt !== String(at ?? "none"));
  if (operation.kind === "addCredit") {
    if (baseline.scaler !== String(shown.currency.scaler)) return { kind: "cannot-tell", code: "dlms.credit-scale" };
    if (funds === before) return { kind: "did-not-happen" };
    if (tokenCame) return { kind: "cannot-tell", code: "dlms.credit-other-token" };
    return funds - before === amountFor(operation.amount, shown.currency)
      ? { kind: "happened" }
      : { kind: "cannot-tell", code: "dlms.credit-amount" };
  }
  if (operation.kind !== "deliverToken") throw unknownEffect();
  if (octets !== operation.token)
    return tokenCame || funds !== before
      ? { kind: "cannot-tell", code: "dlms.credit-other-token" }
      : { kind: "did-not-happen" };
  if (state === "executed") return { kind: "happened" };
  // It came before, in vain, and has not come again.
  if (!tokenCame)
    return funds === before ? { kind: "did-not-happen" } : { kind: "cannot-tell", code: "dlms.credit-amount" };
  if (state === undefined || !FAILED.has(state)) return { kind: "cannot-tell", code: "dlms.token-pending" };
  // A token that was executed fails when it comes again: only with no credit given is a failure this order's.
  return funds === before
    ? { kind: "refused", code: `dlms.token-${state}` }
    : { kind: "cannot-tell", code: "dlms.token-twice" };
}
