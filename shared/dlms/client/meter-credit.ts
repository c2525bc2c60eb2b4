import type { DlmsPrepayment } from "../../metering/dlms-equipment.ts";
import { SessionError } from "../../metering/failure.ts";
import type { MeterCredit, TOKEN_STATES } from "../../metering/meter-credit.ts";
import type { DlmsProfile } from "../../metering/profile.ts";
import { toHex } from "../../ports/octets.ts";
import type { DateTime } from "../date-time.ts";
import { type Attribute, attributeOf, type ReadableAttribute } from "../objects/interface-class.ts";
import {
  ACCOUNT_MODE,
  ACCOUNT_STATUS,
  Account,
  Charge,
  CREDIT_STATUS,
  Credit,
  TOKEN_STATUS,
  TokenGateway,
} from "../objects/prepayment.ts";
import { type MeterTime, placed } from "./meter-time.ts";
import { refusalOf } from "./read-registers.ts";
import type { Answer, DlmsSession } from "./session.ts";

/** Credit as the meter shows it, and what a proof compares. */
export interface CreditRead {
  readonly shown: MeterCredit;
  /** What was ever put into the credit: what is left and what was collected. Using credit up does not move it. */
  readonly funds: number;
}

/** The names of an enumeration by its numbers. */
const named = <N extends string>(names: Readonly<Record<N, number>>, value: number): N | undefined =>
  (Object.keys(names) as N[]).find((name) => names[name] === value);
const STATUS = {
  enabled: "enabled",
  selectable: "selectable",
  "selected-invoked": "invoked",
  "in-use": "in-use",
  exhausted: "exhausted",
} as const;
const UNITS = ["time", "consumption", "money"] as const;
const ACCOUNTS = { "new-inactive-account": "new", "account-active": "active", "account-closed": "closed" } as const;
type TokenState = (typeof TOKEN_STATES)[number];
const TOKENS: Readonly<Record<keyof typeof TOKEN_STATUS, TokenState>> = {
  "format-ok": "format-ok",
  "authentication-ok": "authentication-ok",
  "validation-ok": "validation-ok",
  "token-execution-ok": "executed",
  "format-failure": "format-failure",
  "authentication-failure": "authentication-failure",
  "validation-failure": "validation-failure",
  "token-execution-failure": "execution-failure",
  "token-received": "received",
};

export function prepaymentOf({ prepayment }: DlmsProfile["dlms"]): DlmsPrepayment {
  if (prepayment === undefined)
    throw new SessionError(
      "unsupported",
      "profile.no-prepayment",
      "the device profile describes no credit kept by the meter",
    );
  return prepayment;
}

function needed<T>(what: string, answer: Answer<unknown> | undefined): T {
  if (answer?.kind === "value") return answer.value as T;
  const { code } = refusalOf(what, answer?.result ?? -1); // throws where it is refused for now only
  throw new SessionError("refused", code, `the meter does not show ${what}`);
}

function known<T>(what: string, value: T | undefined): T {
  if (value === undefined)
    throw new SessionError("protocol", "dlms.bad-credit", `${what} has no value that its class knows`);
  return value;
}

/** How often amounts are read at the most until two readings agree. */
const READINGS_MAX = 4;

/**
 * The credit that the meter keeps. What is left and what was collected are read until they add up to the same twice in a row:
 * where the association has no lists, a charge may collect between the two. Throws `SessionError`.
 */
export async function meterCredit(
  session: DlmsSession,
  profile: DlmsProfile["dlms"],
  { time }: { readonly time: () => Promise<MeterTime> },
): Promise<CreditRead> {
  const { account, credit, charges, tokenGateway } = prepaymentOf(profile);
  const of = <T>(attribute: Attribute<T>, what: { classId: number }, obis: string): ReadableAttribute =>
    attributeOf(what, attribute, obis);
  const amounts = [
    of(Credit.attributes.currentCreditAmount, Credit, credit),
    ...charges.map((charge) => of(Charge.attributes.totalAmountPaid, Charge, charge)),
  ];
  const others = [
    of(Account.attributes.accountModeAndStatus, Account, account),
    of(Account.attributes.availableCredit, Account, account),
    of(Account.attributes.currency, Account, account),
    of(Credit.attributes.creditStatus, Credit, credit),
  ];
  const tokens =
    tokenGateway === undefined
      ? []
      : [
          of(TokenGateway.attributes.token, TokenGateway, tokenGateway),
          of(TokenGateway.attributes.tokenTime, TokenGateway, tokenGateway),
          of(TokenGateway.attributes.tokenStatus, TokenGateway, tokenGateway),
        ];
  const sums = async () => {
    const [left, ...paid] = (await session.readAll(amounts)).map((answer) => needed<number>("its amounts", answer));
    return { amount: left ?? 0, collected: paid.reduce((sum, each) => sum + each, 0) };
  };
  const answers = await session.readAll([...others, ...tokens]);
  let last = await sums();
  for (let readings = 1; ; readings++) {
    const next = await sums();
    if (next.amount + next.collected === last.amount + last.collected) break;
    if (readings === READINGS_MAX)
      throw new SessionError("protocol", "dlms.credit-unsteady", "credit and charges do not add up", {
        retry: "later",
      });
    last = next;
  }
  const [modeAndStatus, available, currency, status, token, tokenTime, tokenStatus] = answers;
  const { accountMode, accountStatus } = needed<{ accountMode: number; accountStatus: number }>(
    "its account",
    modeAndStatus,
  );
  const { currencyName, currencyScale, currencyUnit } = needed<{
    currencyName: string;
    currencyScale: number;
    currencyUnit: number;
  }>("its currency", currency);
  const shown: MeterCredit = {
    currency: { name: currencyName, scaler: currencyScale, unit: known("the currency's unit", UNITS[currencyUnit]) },
    mode: known("its mode", named(ACCOUNT_MODE, accountMode)) === "prepayment-mode" ? "prepayment" : "credit",
    account: ACCOUNTS[known("its account's status", named(ACCOUNT_STATUS, accountStatus))],
    ...last,
    available: needed<number>("what is available", available),
    status: STATUS[known("its credit's status", named(CREDIT_STATUS, needed<number>("its credit's status", status)))],
    ...(tokenGateway === undefined
      ? {}
      : {
          token: tokenShown(
            needed("its last token", token),
            needed("its token's time", tokenTime),
            needed("its token's status", tokenStatus),
            await time(),
          ),
        }),
  };
  return { shown, funds: last.amount + last.collected };
}

function tokenShown(
  octets: Uint8Array,
  tokenTime: DateTime,
  { statusCode }: { readonly statusCode: number },
  time: MeterTime,
): NonNullable<MeterCredit["token"]> {
  const at = placed(time, tokenTime, undefined)?.instant;
  const name = named(TOKEN_STATUS, statusCode);
  return {
    octets: toHex(octets),
    ...(at === undefined ? {} : { at }),
    state: name === undefined ? "unknown" : TOKENS[name],
  };
}
