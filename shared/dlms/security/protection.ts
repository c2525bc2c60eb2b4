import type { Crypto, SecretKey } from "../../ports/crypto.ts";
import { AUTHENTICATED, COMPRESSED, ENCRYPTED } from "./security-control.ts";

/** Octets of the truncated GCM tag, of a system title, and of security control and counter before the payload. */
export const TAG_OCTETS = 12;
export const TITLE_OCTETS = 8;
export const SECURITY_HEADER = 5;
const COUNTER_MAX = 0xffff_ffff;
const NOTHING: Uint8Array = new Uint8Array(0);

/** Keys of one protected direction: a handle for AES-GCM; the authentication key goes into the AAD as octets. */
export interface CipherKeys {
  readonly encryption: SecretKey;
  /** 16 octets in suites 0 and 1, 32 in suite 2. */
  readonly authentication: Uint8Array;
}

/** The *sender's* title and counter: they are the IV, and never repeat under one key. */
export interface Sender {
  /** 8 octets. */
  readonly systemTitle: Uint8Array;
  /** 0..2^32-1 */
  readonly invocationCounter: number;
}

function counterInto(octets: Uint8Array, at: number, counter: number): void {
  octets[at] = counter >>> 24;
  octets[at + 1] = counter >>> 16;
  octets[at + 2] = counter >>> 8;
  octets[at + 3] = counter;
}

function ivOf({ systemTitle, invocationCounter }: Sender): Uint8Array {
  if (systemTitle.length !== TITLE_OCTETS) throw new RangeError(`expected a system title of ${TITLE_OCTETS} octets`);
  if (!Number.isInteger(invocationCounter) || invocationCounter < 0 || invocationCounter > COUNTER_MAX)
    throw new RangeError("expected an invocation counter of 32 bits");
  const iv = new Uint8Array(TITLE_OCTETS + 4);
  iv.set(systemTitle);
  counterInto(iv, TITLE_OCTETS, invocationCounter);
  return iv;
}

/** SC || AK || what General-Ciphering authenticates with them || what is authenticated only. */
function aadOf(control: number, { authentication }: CipherKeys, extra: Uint8Array, octets = NOTHING): Uint8Array {
  const aad = new Uint8Array(1 + authentication.length + extra.length + octets.length);
  aad[0] = control;
  aad.set(authentication, 1);
  if (extra.length > 0) aad.set(extra, 1 + authentication.length);
  if (octets.length > 0) aad.set(octets, 1 + authentication.length + extra.length);
  return aad;
}

/**
 * Protects an APDU: security control || counter || payload [|| tag], as IEC 62056-5-3 lays it out. The caller draws the
 * counter; it must never have been used with this key and title. `extra`: what stands behind the authentication key in
 * the AAD, General-Ciphering only.
 */
export function sealContent(
  crypto: Crypto,
  keys: CipherKeys,
  control: number,
  sender: Sender,
  apdu: Uint8Array,
  extra: Uint8Array = NOTHING,
): Uint8Array {
  if ((control & COMPRESSED) !== 0 || (control & (AUTHENTICATED | ENCRYPTED)) === 0)
    throw new RangeError("expected authentication, encryption or both, without compression");
  const iv = ivOf(sender);
  const tag = (control & AUTHENTICATED) === 0 ? 0 : TAG_OCTETS;
  const content = new Uint8Array(SECURITY_HEADER + apdu.length + tag);
  content[0] = control;
  counterInto(content, 1, sender.invocationCounter);
  if ((control & ENCRYPTED) === 0) {
    content.set(apdu, SECURITY_HEADER);
    const aad = aadOf(control, keys, extra, apdu);
    content.set(crypto.gcmSeal(keys.encryption, iv, aad, NOTHING, TAG_OCTETS), SECURITY_HEADER + apdu.length);
    return content;
  }
  const aad = tag === 0 ? NOTHING : aadOf(control, keys, extra);
  const sealed = crypto.gcmSeal(keys.encryption, iv, aad, apdu, TAG_OCTETS);
  content.set(tag === 0 ? sealed.subarray(0, apdu.length) : sealed, SECURITY_HEADER);
  return content;
}

export type OpenedContent =
  | {
      readonly kind: "opened";
      readonly securityControl: number;
      readonly invocationCounter: number;
      readonly apdu: Uint8Array;
    }
  | { readonly kind: "refused"; readonly because: "truncated" | "unprotected" | "compressed" | "bad-tag" };

/** Undefined when too short to hold a security header. */
export function securityHeaderOf(
  content: Uint8Array,
): { readonly securityControl: number; readonly invocationCounter: number } | undefined {
  if (content.length < SECURITY_HEADER) return undefined;
  const counter =
    ((content[1] as number) << 24) |
    ((content[2] as number) << 16) |
    ((content[3] as number) << 8) |
    (content[4] as number);
  return { securityControl: content[0] as number, invocationCounter: counter >>> 0 };
}

/**
 * Opens protected content. Encryption without authentication is opened too: whoever believes it must look at
 * `securityControl`. The counter's freshness is the caller's business.
 */
export function openContent(
  crypto: Crypto,
  keys: CipherKeys,
  systemTitle: Uint8Array,
  content: Uint8Array,
  extra: Uint8Array = NOTHING,
): OpenedContent {
  const header = securityHeaderOf(content);
  if (header === undefined) return { kind: "refused", because: "truncated" };
  const { securityControl, invocationCounter } = header;
  const authenticated = (securityControl & AUTHENTICATED) !== 0;
  const encrypted = (securityControl & ENCRYPTED) !== 0;
  if ((securityControl & COMPRESSED) !== 0) return { kind: "refused", because: "compressed" };
  if (!authenticated && !encrypted) return { kind: "refused", because: "unprotected" };
  const iv = ivOf({ systemTitle, invocationCounter });
  const payload = content.subarray(SECURITY_HEADER);
  if (!authenticated) {
    // GCM enciphers by a key stream: enciphering twice gives the plaintext; there is no tag to verify.
    const apdu = crypto.gcmSeal(keys.encryption, iv, NOTHING, payload, TAG_OCTETS).subarray(0, payload.length);
    return { kind: "opened", securityControl, invocationCounter, apdu };
  }
  if (payload.length < TAG_OCTETS) return { kind: "refused", because: "truncated" };
  const clear = payload.subarray(0, payload.length - TAG_OCTETS);
  const apdu = encrypted
    ? crypto.gcmOpen(keys.encryption, iv, aadOf(securityControl, keys, extra), payload, TAG_OCTETS)
    : crypto.gcmOpen(
        keys.encryption,
        iv,
        aadOf(securityControl, keys, extra, clear),
        payload.subarray(clear.length),
        TAG_OCTETS,
      );
  if (apdu === undefined) return { kind: "refused", because: "bad-tag" };
  return { kind: "opened", securityControl, invocationCounter, apdu: encrypted ? apdu : clear };
}
