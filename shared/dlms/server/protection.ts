import type { Crypto } from "../../ports/crypto.ts";
import { equalOctets } from "../../ports/octets.ts";
import { encode } from "../../wire/codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import { ExceptionResponse, SERVICE_ERROR, STATE_ERROR } from "../exception-response.ts";
import { type CipheringForm, protectApdu, protectedApdu } from "../security/apdu-protection.ts";
import type { KeyScope } from "../security/ciphered-apdu.ts";
import { type CipherKeys, openContent } from "../security/protection.ts";
import { AUTHENTICATED_ENCRYPTED } from "../security/security-control.ts";
import type { CounterMemory } from "./logical-device.ts";

export const exception = (
  stateError: keyof typeof STATE_ERROR,
  serviceError: keyof typeof SERVICE_ERROR,
  invocationCounterError?: number,
): Uint8Array =>
  encode(ExceptionResponse, {
    stateError: STATE_ERROR[stateError],
    serviceError: SERVICE_ERROR[serviceError],
    invocationCounterError,
  });

/** A key with the counters under it. */
export interface KeyInUse {
  readonly keys: CipherKeys;
  readonly counters: CounterMemory;
}

export interface SecureContext {
  readonly crypto: Crypto;
  readonly systemTitle: Uint8Array;
  readonly clientSystemTitle: Uint8Array;
  readonly global: KeyInUse;
  readonly dedicated: KeyInUse | undefined;
}

/** The dress of a protected request: its answer wears the same. */
export interface Dress {
  readonly form: CipheringForm;
  readonly scope: KeyScope;
}

export type Opened =
  | {
      readonly kind: "opened";
      readonly apdu: Uint8Array;
      readonly dress: Dress;
      readonly counter: number;
      /** The highest counter accepted before this one. */
      readonly before: number | undefined;
    }
  | { readonly kind: "refused"; readonly because: "clear" | "title" | "deciphering" }
  | { readonly kind: "stale"; readonly least: number };

const DECIPHERING = { kind: "refused", because: "deciphering" } as const;

/**
 * Opens a request: right title, right key, authenticated *and* encrypted, tag verified, and only then a counter above
 * all before. Throws `WireError` for octets that are no protected APDU in form.
 */
export function openRequest(context: SecureContext, octets: Uint8Array): Opened {
  const found = protectedApdu(octets);
  if (found === undefined) return { kind: "refused", because: "clear" };
  if (found.systemTitle !== undefined && !equalOctets(found.systemTitle, context.clientSystemTitle))
    return { kind: "refused", because: "title" };
  const key = found.scope === "global" ? context.global : context.dedicated;
  if (key === undefined || found.content[0] !== AUTHENTICATED_ENCRYPTED) return DECIPHERING;
  const content = openContent(context.crypto, key.keys, context.clientSystemTitle, found.content);
  if (content.kind === "refused") return DECIPHERING;
  const before = key.counters.lastAccepted();
  if (before !== undefined && content.invocationCounter <= before) {
    key.counters.refused(content.invocationCounter);
    return { kind: "stale", least: before + 1 };
  }
  key.counters.accepted(content.invocationCounter);
  if (found.plainTag !== undefined && content.apdu[0] !== found.plainTag) return DECIPHERING;
  const { form, scope } = found;
  return { kind: "opened", apdu: content.apdu, dress: { form, scope }, counter: content.invocationCounter, before };
}

/** Protects an answer under the meter's own title and next counter. */
export function protectAnswer(context: SecureContext, dress: Dress, apdu: Uint8Array): Uint8Array {
  const key = dress.scope === "dedicated" && context.dedicated !== undefined ? context.dedicated : context.global;
  const sender = { systemTitle: context.systemTitle, invocationCounter: key.counters.nextOwn() };
  return protectApdu(context.crypto, key.keys, { ...dress, securityControl: AUTHENTICATED_ENCRYPTED }, sender, apdu);
}

/** Most octets that protection adds: tag, title with its length, length, security header, GCM tag. */
export const protectionOctets = ({ form }: Dress): number => 1 + (form === "general" ? 9 : 0) + 3 + 5 + 12;

/** Runs a decoder over octets of a client: undefined when they are malformed. */
export function decodedOr<T>(decoding: () => T): T | undefined {
  try {
    return decoding();
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** Counters of a dedicated key: they live as long as the association. */
export function freshCounters(): CounterMemory {
  let last: number | undefined;
  let own = 0;
  return {
    lastAccepted: () => last,
    accepted: (counter) => {
      last = Math.max(last ?? 0, counter);
    },
    refused: () => undefined,
    nextOwn: () => own++,
  };
}
