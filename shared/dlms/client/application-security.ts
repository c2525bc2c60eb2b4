import { SessionError } from "../../metering/failure.ts";
import type { Crypto } from "../../ports/crypto.ts";
import { equalOctets, toHex } from "../../ports/octets.ts";
import { decode } from "../../wire/codec.ts";
import { nameIn } from "../data-access-result.ts";
import {
  type ExceptionResponse,
  ExceptionResponse as ExceptionResponseCodec,
  SERVICE_ERROR,
  STATE_ERROR,
} from "../exception-response.ts";
import { type CipheringForm, protectApdu, protectedApdu } from "../security/apdu-protection.ts";
import { type CipherKeys, openContent } from "../security/protection.ts";
import { AUTHENTICATED_ENCRYPTED } from "../security/security-control.ts";

export const EXCEPTION_RESPONSE_TAG = 0xd8;

export interface SecurityOptions {
  readonly crypto: Crypto;
  readonly keys: CipherKeys;
  readonly form: CipheringForm;
  readonly clientTitle: Uint8Array;
  /** The enrolled title; authoritative. */
  readonly meterTitle: Uint8Array;
  /** Draws the counter of one primitive call. */
  readonly nextCounter: () => number;
}

/** What the meter says in clear when it cannot or will not open a request; nothing proves that it is the meter's. */
export function exceptionError(exception: ExceptionResponse, ciphered: boolean): SessionError {
  const detail = {
    stateError: nameIn(STATE_ERROR, exception.stateError),
    serviceError: nameIn(SERVICE_ERROR, exception.serviceError),
  };
  if (exception.serviceError === SERVICE_ERROR["invocation-counter-error"])
    return new SessionError("auth", "dlms.counter-refused", "the meter refused our invocation counter", {
      retry: "later",
      detail: { ...detail, expectedCounter: exception.invocationCounterError },
    });
  if (exception.serviceError === SERVICE_ERROR["deciphering-error"])
    return new SessionError("auth", "dlms.deciphering-refused", "the meter could not decipher our request", { detail });
  const message = `the meter answered exception-response ${detail.stateError}, ${detail.serviceError}`;
  // In a ciphered session it may be anybody's: it ends the conversation, but is no definite refusal.
  return new SessionError(ciphered ? "protocol" : "refused", "dlms.exception-response", message, { detail });
}

/**
 * Protection of one association, suite 0, authenticated and encrypted: every request under a counter of its own, every
 * answer opened under the enrolled title and fresh (its counter above all before it).
 */
export class ApplicationSecurity {
  readonly #options: SecurityOptions;
  #floor = -1;

  constructor(options: SecurityOptions) {
    this.#options = options;
  }

  /** No answer with this counter or a lower one is believed any more. */
  raiseFloor(counter: number): void {
    if (counter > this.#floor) this.#floor = counter;
  }

  seal(apdu: Uint8Array): Uint8Array {
    const { crypto, keys, form, clientTitle, nextCounter } = this.#options;
    const dress = { form, scope: "global", securityControl: AUTHENTICATED_ENCRYPTED } as const;
    return protectApdu(crypto, keys, dress, { systemTitle: clientTitle, invocationCounter: nextCounter() }, apdu);
  }

  /** The APDU inside. Throws `SessionError` for whatever is not the meter's own, fresh answer; `WireError` when malformed. */
  open(octets: Uint8Array): Uint8Array {
    const { crypto, keys, meterTitle } = this.#options;
    const found = protectedApdu(octets);
    if (found === undefined) {
      if (octets[0] === EXCEPTION_RESPONSE_TAG) throw exceptionError(decode(ExceptionResponseCodec, octets), true);
      throw new SessionError(
        "auth",
        "dlms.clear-answer",
        "expected a ciphered answer to a ciphered request, got one in clear",
        {
          detail: { tag: octets[0] },
        },
      );
    }
    if (found.systemTitle !== undefined && !equalOctets(found.systemTitle, meterTitle))
      throw wrongTitle(meterTitle, found.systemTitle);
    if (found.scope !== "global")
      throw new SessionError(
        "protocol",
        "dlms.unknown-key",
        "expected an answer under the global key, got the dedicated key",
      );
    const opened = openContent(crypto, keys, meterTitle, found.content);
    if (opened.kind === "refused")
      throw new SessionError("auth", `dlms.${opened.because}`, `the meter's answer does not open: ${opened.because}`);
    if (opened.securityControl !== AUTHENTICATED_ENCRYPTED)
      throw new SessionError(
        "auth",
        "dlms.weak-protection",
        "expected an answer authenticated and encrypted in suite 0",
        {
          detail: { securityControl: opened.securityControl },
        },
      );
    if (opened.invocationCounter <= this.#floor)
      throw new SessionError("auth", "dlms.stale-counter", "expected the meter's invocation counter to rise", {
        detail: { counter: opened.invocationCounter, floor: this.#floor },
      });
    if (found.plainTag !== undefined && opened.apdu[0] !== found.plainTag)
      throw new SessionError(
        "protocol",
        "dlms.tag-mismatch",
        "the APDU inside is not the one that its ciphered tag names",
        {
          detail: { expected: found.plainTag, received: opened.apdu[0] },
        },
      );
    this.raiseFloor(opened.invocationCounter);
    return opened.apdu;
  }
}

export const wrongTitle = (expected: Uint8Array, received: Uint8Array): SessionError =>
  new SessionError("auth", "dlms.wrong-title", "the meter answered under another system title than the enrolled one", {
    detail: { expected: toHex(expected), received: toHex(received) },
  });
