import type { Crypto, Curve } from "../../ports/crypto.ts";
import { concat } from "../../ports/octets.ts";

export type SecuritySuite = 0 | 1 | 2;

/** DLMS security suites: octets of symmetric keys, and what suites 1 and 2 sign, agree and hash with. */
export const SUITES = {
  0: { keyOctets: 16, curve: undefined },
  1: { keyOctets: 16, curve: "P-256" },
  2: { keyOctets: 32, curve: "P-384" },
} as const satisfies Record<SecuritySuite, { readonly keyOctets: 16 | 32; readonly curve: Curve | undefined }>;

/** Octets of a point x || y, and of a signature r || s. */
export const POINT_OCTETS: Readonly<Record<Curve, number>> = { "P-256": 64, "P-384": 96 };

/** AlgorithmID of the derivation: 2.16.756.5.8.3.n, content octets. */
const ALGORITHM = { cipher128: 0, cipher256: 1, wrap128: 2, wrap256: 3 } as const;
const algorithmId = (of: keyof typeof ALGORITHM): Uint8Array =>
  Uint8Array.of(0x60, 0x85, 0x74, 0x05, 0x08, 0x03, ALGORITHM[of]);

/**
 * A symmetric key of a shared secret: the concatenation KDF of NIST SP 800-56A, one round, OtherInfo = AlgorithmID ||
 * PartyUInfo || PartyVInfo without lengths. `curve` says the suite: P-256 gives 16 octets, P-384 32.
 */
export function deriveKey(
  crypto: Crypto,
  curve: Curve,
  sharedSecret: Uint8Array,
  partyU: Uint8Array,
  partyV: Uint8Array,
  purpose: "cipher" | "wrap" = "cipher",
): Uint8Array {
  const small = curve === "P-256";
  const algorithm = algorithmId(`${purpose}${small ? 128 : 256}`);
  const material = concat(Uint8Array.of(0, 0, 0, 1), sharedSecret, algorithm, partyU, partyV);
  return crypto.hash(small ? "sha256" : "sha384", material).subarray(0, small ? 16 : 32);
}
