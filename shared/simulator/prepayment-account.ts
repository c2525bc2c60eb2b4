import { ACCOUNT_STATUS, CREDIT_STATUS, TOKEN_STATUS } from "../dlms/objects/prepayment.ts";
import type { EventName } from "../metering/event-catalogue.ts";
import { METER_AMOUNT_MAX } from "../metering/meter-credit.ts";
import type { Crypto } from "../ports/crypto.ts";
import { concat, equalOctets, fromHex, toHex } from "../ports/octets.ts";
import type { MeterState } from "./meter-state.ts";
import type { DlmsMeterPlan } from "./population.ts";

/** What a meter keeps of its credit over a power cut. Amounts in thousandths of the currency. */
export interface PrepaymentState {
  readonly mode: "credit-mode" | "prepayment-mode";
  /** All that was ever put in. */
  readonly funds: number;
  /** Ids of the tokens that were executed, the newest last. */
  readonly tokens: readonly number[];
  /** The last token that came: hex, by the meter's clock, and what became of it. */
  readonly last?: { readonly token: string; readonly at: number; readonly status: keyof typeof TOKEN_STATUS };
  readonly warned?: boolean;
  readonly usedUp?: boolean;
}
const TOKENS_KEPT = 200;
/** Thousandths of the currency a kWh. */
export const PRICE_A_KWH = 280;
export const CURRENCY = { name: "EUR", scale: -3 } as const;
const WARNING_BELOW = 5_000;

/** What a customer who pays afterwards may use in a year. */
const FUNDS_A_YEAR = 1_000_000;

export interface PrepaymentOptions {
  readonly crypto: Crypto;
  readonly serial: string;
  /** By the meter's clock, ms. */
  readonly now: () => number;
  /** What its charge has collected then, by the meter's clock. Only rises. */
  readonly collectedAt: (now: number) => number;
  readonly openSwitch: () => void;
  readonly closeSwitch: () => void;
  readonly record: (event: EventName) => void;
  readonly changed: () => void;
  /** Top-ups and tokens are acknowledged, and nothing is credited. */
  readonly hollow?: boolean;
}

const TAG_OCTETS = 8;
const tagOf = (crypto: Crypto, serial: string, head: Uint8Array): Uint8Array =>
  crypto.hmacSha256(new TextEncoder().encode(`simulated vending of ${serial}`), head).subarray(0, TAG_OCTETS);

/** A token of the simulated maker's: id and amount (four octets each) and a tag that its meter alone takes. Hex. */
export function simulatedToken(crypto: Crypto, serial: string, id: number, amount: number): string {
  const head = new Uint8Array(8);
  const view = new DataView(head.buffer);
  view.setUint32(0, id);
  view.setUint32(4, amount);
  return toHex(concat(head, tagOf(crypto, serial, head)));
}

/** Credit that a meter keeps by itself: one Credit, one Charge by energy, a gateway that takes each token once. */
export class PrepaymentAccount {
  #state: PrepaymentState;
  readonly #options: PrepaymentOptions;

  constructor(state: PrepaymentState, options: PrepaymentOptions) {
    this.#state = state;
    this.#options = options;
  }

  get state(): PrepaymentState {
    return this.#state;
  }
  get collected(): number {
    const { collectedAt, now } = this.#options;
    return collectedAt(now());
  }
  get amount(): number {
    return this.#state.funds - this.collected;
  }
  get status(): number {
    return this.amount > 0 ? CREDIT_STATUS["in-use"] : CREDIT_STATUS.exhausted;
  }
  get accountStatus(): number {
    return ACCOUNT_STATUS["account-active"];
  }

  /**
   * What follows from what was used since the last look, for who pays before. A meter looks all the time; a simulated one when it is
   * asked something.
   */
  look(): void {
    const { record, openSwitch } = this.#options;
    const { warned = false, usedUp = false, mode } = this.#state;
    if (mode === "credit-mode") return;
    if (!warned && this.amount < WARNING_BELOW) {
      this.#keep({ warned: true });
      record("credit.low");
    }
    if (usedUp || this.amount > 0) return;
    this.#keep({ usedUp: true });
    record("credit.used-up");
    openSwitch();
  }

  /** False: it would hold more than it can. Negative amounts take away. */
  update(amount: number): boolean {
    this.look();
    const after = this.amount + amount;
    if (after > METER_AMOUNT_MAX || after < -METER_AMOUNT_MAX) return false;
    if (this.#options.hollow === true) return true;
    this.#keep({ funds: this.#state.funds + amount });
    if (this.amount >= WARNING_BELOW) this.#keep({ warned: false });
    if (this.#state.usedUp === true && this.amount > 0) {
      this.#keep({ usedUp: false });
      this.#options.closeSwitch();
    }
    return true;
  }

  /** Takes a token, whatever it is; what becomes of it is told by its status. */
  enter(token: Uint8Array): void {
    const status = this.#taken(token);
    this.#keep({ last: { token: toHex(token), at: this.#options.now(), status } });
  }

  setMode(mode: PrepaymentState["mode"]): void {
    this.#keep({ mode });
  }

  #taken(token: Uint8Array): keyof typeof TOKEN_STATUS {
    const { crypto, serial } = this.#options;
    if (token.length !== 8 + TAG_OCTETS) return "format-failure";
    const head = token.subarray(0, 8);
    if (!equalOctets(tagOf(crypto, serial, head), token.subarray(8))) return "authentication-failure";
    const view = new DataView(head.buffer, head.byteOffset, 8);
    const id = view.getUint32(0);
    if (this.#state.tokens.includes(id)) return "validation-failure"; // each token once
    if (!this.update(view.getUint32(4))) return "token-execution-failure";
    this.#keep({ tokens: [...this.#state.tokens, id].slice(-TOKENS_KEPT) });
    return "token-execution-ok";
  }

  get lastToken(): { readonly octets: Uint8Array; readonly at: number; readonly status: number } {
    const { last } = this.#state;
    return {
      octets: fromHex(last?.token ?? ""),
      at: last?.at ?? 0,
      status: TOKEN_STATUS[last?.status ?? "format-ok"],
    };
  }

  #keep(part: Partial<PrepaymentState>): void {
    this.#state = { ...this.#state, ...part };
    this.#options.changed();
  }
}

/** The account of a meter whose profile has one; a fresh one pays afterwards. */
export function prepaymentAccount(
  crypto: Crypto,
  { profile, serial, fault }: DlmsMeterPlan,
  state: MeterState,
  { kept, changed }: { readonly kept: PrepaymentState | undefined; readonly changed: () => void },
): PrepaymentAccount | undefined {
  if (profile.dlms.prepayment === undefined) return undefined;
  const collectedAt = (at: number): number => Math.floor((state.load.energyAt(at).importWh * PRICE_A_KWH) / 1000);
  const year = Date.UTC(new Date(state.now()).getUTCFullYear());
  const fresh: PrepaymentState = { mode: "credit-mode", funds: collectedAt(year) + FUNDS_A_YEAR, tokens: [] };
  return new PrepaymentAccount(kept ?? fresh, {
    crypto,
    serial,
    now: () => state.now(),
    collectedAt,
    openSwitch: () => state.relay.localDisconnect(),
    closeSwitch: () => state.relay.localReconnect(),
    record: (event) => state.events.record(event),
    changed,
    hollow: fault === "hollow-credit",
  });
}
