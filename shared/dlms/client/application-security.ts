import { SessionError } from "../../metering/failure.ts";
import type { PrivateKey } from "../../ports/crypto.ts";
import { equalOctets, toHex } from "../../ports/octets.ts";
import type { CipherKeys } from "../security/protection.ts";
import {
  type Dress,
  isAsDemanded,
  type OpenedApdu,
  openSecured,
  type SecuritySide,
  sealSecured,
  securedOverhead,
  transactionIdOf,
} from "../security/secured-apdu.ts";
import type { SecurityPolicy } from "../security/security-policy.ts";
import { failureIn } from "./service-failure.ts";

export interface SecurityOptions {
  /** `ownTitle` is the client's, `peerTitle` the enrolled one: authoritative. `dedicated` comes with `startDedicated`. */
  readonly side: SecuritySide;
  readonly dress: Dress;
  readonly policy: SecurityPolicy;
  /** Draws the counter of one primitive call. */
  readonly nextCounter: () => number;
  /** A new private key, for one message. */
  readonly ephemeral: () => PrivateKey;
}

/** The Initiate messages are never signed: a signature asks for an association. */
const unsigned = <T extends SecurityPolicy["request"]>(demanded: T): T => ({ ...demanded, signed: false });

/**
 * Protection of one association: every request as the policy demands and under a counter of its own, every answer opened
 * under the enrolled title, no weaker than the policy demands, and fresh: its counter above all before it under that
 * key, or, where no key outlives the message, the transaction id that was asked with.
 */
export class ApplicationSecurity {
  readonly #options: SecurityOptions;
  #side: SecuritySide;
  #dress: Dress;
  #floor = -1;
  #dedicatedFloor = -1;
  /** Counter of the last request, of which its transaction id is made. */
  #transaction: number | undefined;

  constructor(options: SecurityOptions) {
    this.#options = options;
    this.#side = options.side;
    this.#dress = options.dress;
  }

  /** Most octets that protection adds to a request. */
  get overhead(): number {
    const { side, policy } = this.#options;
    return Math.max(36, securedOverhead(this.#dress, side.suite, policy.request.signed));
  }

  /** No answer under the global key with this counter or a lower one is believed any more. */
  raiseFloor(counter: number): void {
    if (counter > this.#floor) this.#floor = counter;
  }

  /** From now on everything goes under the dedicated key that the association agreed on. */
  startDedicated(keys: CipherKeys): void {
    this.#side = { ...this.#side, dedicated: keys };
    this.#dress = { ...this.#dress, scope: "dedicated" };
  }

  seal(apdu: Uint8Array): Uint8Array {
    const { policy, nextCounter, ephemeral } = this.#options;
    const draws = {
      counter: () => {
        const counter = nextCounter();
        this.#transaction = counter;
        return counter;
      },
      ephemeral,
    };
    return sealSecured(this.#side, this.#dress, policy.request, draws, apdu);
  }

  /** The InitiateRequest: under the global key, in the service-specific dress where the form is General-Ciphering. */
  sealInitiate(apdu: Uint8Array): Uint8Array {
    const { policy, nextCounter, ephemeral } = this.#options;
    const form = this.#dress.form === "general" ? "general" : "service-specific";
    const dress = { form, scope: "global" } as const;
    return sealSecured(this.#side, dress, unsigned(policy.request), { counter: nextCounter, ephemeral }, apdu);
  }

  /** The APDU inside. Throws `SessionError` for whatever is not the meter's own, fresh answer; `WireError` when malformed. */
  open(octets: Uint8Array): Uint8Array {
    return this.#opened(octets, this.#options.policy.response);
  }

  /** The InitiateResponse. */
  openInitiate(octets: Uint8Array): Uint8Array {
    return this.#opened(octets, unsigned(this.#options.policy.response));
  }

  #opened(octets: Uint8Array, demanded: SecurityPolicy["response"]): Uint8Array {
    const { side } = this.#options;
    const opened = openSecured(this.#side, octets);
    if (opened.kind === "refused") {
      const failure = opened.because === "clear" ? failureIn(octets, false) : undefined;
      if (failure !== undefined) throw failure;
      const nothing = !demanded.authenticated && !demanded.encrypted && !demanded.signed;
      if (opened.because === "clear" && nothing) return octets;
      throw refusalError(opened, octets, side.peerTitle);
    }
    if (!isAsDemanded(opened, side.suite, demanded))
      throw new SessionError("auth", "dlms.weak-protection", "expected an answer protected as the policy demands", {
        detail: { securityControl: opened.securityControl, signed: opened.dress.signed === true },
      });
    this.#checkFresh(opened);
    return opened.apdu;
  }

  #checkFresh({ dress, invocationCounter }: Extract<OpenedApdu, { kind: "opened" }>): void {
    if (invocationCounter === undefined) {
      const asked = this.#transaction;
      const { transactionId } = dress;
      if (asked === undefined || transactionId === undefined || !equalOctets(transactionIdOf(asked), transactionId))
        throw new SessionError("auth", "dlms.stale-transaction", "expected the transaction id that was asked with");
      this.#transaction = undefined;
      return;
    }
    const dedicated = dress.scope === "dedicated";
    const floor = dedicated ? this.#dedicatedFloor : this.#floor;
    if (invocationCounter <= floor)
      throw new SessionError("auth", "dlms.stale-counter", "expected the meter's invocation counter to rise", {
        detail: { counter: invocationCounter, floor },
      });
    if (dedicated) this.#dedicatedFloor = invocationCounter;
    else this.#floor = invocationCounter;
  }
}

/** What it means that protection did not open. */
export function refusalError(
  { because, title }: Extract<OpenedApdu, { kind: "refused" }>,
  octets: Uint8Array,
  meterTitle: Uint8Array,
): SessionError {
  switch (because) {
    case "clear":
      return new SessionError(
        "auth",
        "dlms.clear-answer",
        "expected a ciphered answer to a ciphered request, got one in clear",
        { detail: { tag: octets[0] } },
      );
    case "title":
      return wrongTitle(meterTitle, title ?? new Uint8Array(0));
    case "unknown-key":
      return new SessionError("protocol", "dlms.unknown-key", "the answer is under a key that was not agreed on");
    case "tag-mismatch":
      return new SessionError(
        "protocol",
        "dlms.tag-mismatch",
        "the APDU inside is not the one that its ciphered tag names",
      );
    default:
      return new SessionError("auth", `dlms.${because}`, `the meter's answer does not open: ${because}`);
  }
}

export const wrongTitle = (expected: Uint8Array, received: Uint8Array): SessionError =>
  new SessionError("auth", "dlms.wrong-title", "the meter answered under another system title than the enrolled one", {
    detail: { expected: toHex(expected), received: toHex(received) },
  });
