import type { PrivateKey } from "../../ports/crypto.ts";
import { encode } from "../../wire/codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import { ExceptionResponse, SERVICE_ERROR, STATE_ERROR } from "../exception-response.ts";
import type { CipherKeys } from "../security/protection.ts";
import {
  type Dress,
  isAsDemanded,
  openSecured,
  type SecuritySide,
  sealSecured,
  securedOverhead,
} from "../security/secured-apdu.ts";
import type { SecurityPolicy } from "../security/security-policy.ts";
import type { CounterMemory, TransactionMemory } from "./logical-device.ts";

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
  readonly side: SecuritySide;
  readonly policy: SecurityPolicy;
  readonly global: KeyInUse;
  readonly dedicated: KeyInUse | undefined;
  readonly transactions: TransactionMemory;
  readonly ephemeral: () => PrivateKey;
}

export type Opened =
  | {
      readonly kind: "opened";
      readonly apdu: Uint8Array;
      readonly dress: Dress;
      /** The highest counter accepted before this one. */
      readonly before: number | undefined;
    }
  | { readonly kind: "refused"; readonly because: "clear" | "title" | "deciphering" }
  | { readonly kind: "stale"; readonly least: number };

const DECIPHERING = { kind: "refused", because: "deciphering" } as const;

/**
 * Opens a request: right title, right key, no weaker than the policy demands, verified, and only then fresh: a counter
 * above all before under that key, or a transaction id above all before where no key outlives the message. Throws
 * `WireError` for octets that are no protected APDU in form. `initiate`: it is one of the Initiate messages, never signed.
 */
export function openRequest(context: SecureContext, octets: Uint8Array, initiate = false): Opened {
  const demanded = initiate ? { ...context.policy.request, signed: false } : context.policy.request;
  const opened = openSecured(context.side, octets);
  if (opened.kind === "refused") {
    if (opened.because === "clear" && !demanded.authenticated && !demanded.encrypted && !demanded.signed)
      return { kind: "opened", apdu: octets, dress: { form: "clear", scope: "global" }, before: undefined };
    return opened.because === "clear" || opened.because === "title"
      ? { kind: "refused", because: opened.because }
      : DECIPHERING;
  }
  const { dress, invocationCounter, apdu } = opened;
  if (!isAsDemanded(opened, context.side.suite, demanded)) return DECIPHERING;
  if (invocationCounter === undefined)
    return isNewTransaction(context.transactions, dress.transactionId)
      ? { kind: "opened", apdu, dress, before: undefined }
      : DECIPHERING;
  const key = dress.scope === "global" ? context.global : context.dedicated;
  if (key === undefined) return DECIPHERING;
  const before = key.counters.lastAccepted();
  if (before !== undefined && invocationCounter <= before) {
    key.counters.refused(invocationCounter);
    return { kind: "stale", least: before + 1 };
  }
  key.counters.accepted(invocationCounter);
  return { kind: "opened", apdu, dress, before };
}

function isNewTransaction(memory: TransactionMemory, id: Uint8Array | undefined): boolean {
  if (id?.length !== 8) return false;
  const value = new DataView(id.buffer, id.byteOffset, 8).getBigUint64(0);
  if (memory.last !== undefined && value <= memory.last) return false;
  memory.last = value;
  return true;
}

/** Protects an answer in the dress of its request, under the meter's own title and next counter. */
export function protectAnswer(context: SecureContext, dress: Dress, apdu: Uint8Array, initiate = false): Uint8Array {
  const key = dress.scope === "dedicated" && context.dedicated !== undefined ? context.dedicated : context.global;
  const { response } = context.policy;
  const demanded = initiate ? { ...response, signed: false } : response;
  const worn = dress.form === "clear" && (demanded.authenticated || demanded.encrypted) ? GLOBAL : dress;
  const draws = { counter: () => key.counters.nextOwn(), ephemeral: context.ephemeral };
  return sealSecured(context.side, worn, demanded, draws, apdu);
}
const GLOBAL: Dress = { form: "service-specific", scope: "global" };

/** Most octets that protection adds to an answer. */
export const protectionOctets = ({ side, policy }: SecureContext, dress: Dress): number =>
  securedOverhead(dress.form === "clear" ? GLOBAL : dress, side.suite, policy.response.signed);

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
