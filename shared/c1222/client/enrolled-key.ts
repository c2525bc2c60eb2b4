import type { C1222Profile } from "../../metering/c1222-profile.ts";
import { SessionError } from "../../metering/failure.ts";
import type { MeterKeys } from "../../metering/meter-keys.ts";
import type { Crypto } from "../../ports/crypto.ts";
import { parseHex } from "../../ports/octets.ts";
import { type EaxPrimeKey, eaxPrimeKey } from "../security/eax-prime.ts";

const KEY_OCTETS = 16;

export const SECURITY_MODES = { clear: 0, authenticated: 1, ciphered: 2 } as const;

/** A key by its id, made ready for EAX'. */
export interface ReadyKey {
  readonly id: number;
  readonly eaxPrime: EaxPrimeKey;
}

/** `what`: as a person would name the key. Throws `SessionError` `auth` where it is none of EAX'. */
export function readyKey(crypto: Crypto, id: number, hex: string | undefined, what: string): ReadyKey {
  const octets = hex === undefined ? undefined : parseHex(hex);
  if (octets?.length !== KEY_OCTETS)
    throw new SessionError(
      "auth",
      "c1222.key-missing",
      `expected ${what} of ${KEY_OCTETS} octets for secured messages`,
    );
  return { id, eaxPrime: eaxPrimeKey(crypto, crypto.secretKey(octets)) };
}

/** The meter's own key as its profile uses it; undefined: messages in clear. */
export const enrolledKey = (
  { security, keyId }: C1222Profile["c1222"]["access"],
  keys: MeterKeys | undefined,
  crypto: Crypto,
): ReadyKey | undefined =>
  security === "clear" ? undefined : readyKey(crypto, keyId, keys?.unicast, "an enrolled key");
