import type { Crypto } from "../../ports/crypto.ts";
import { type CipherKeys, openContent, type Sender, sealContent } from "./protection.ts";
import { AUTHENTICATED, securityControlOf } from "./security-control.ts";
import type { SecuritySuite } from "./security-suite.ts";

/** Octets of f(challenge): security control, counter, tag. */
export const HLS_GMAC_OCTETS = 17;
export const CHALLENGE_MIN = 8;
export const CHALLENGE_MAX = 64;

/** HLS mechanism 5: f(challenge) = SC || IC || GMAC(SC || AK || challenge), under the title and counter of who proves. */
export function proveGmac(
  crypto: Crypto,
  keys: CipherKeys,
  sender: Sender,
  challenge: Uint8Array,
  suite: SecuritySuite = 0,
): Uint8Array {
  const content = sealContent(crypto, keys, AUTHENTICATED | suite, sender, challenge);
  const proof = new Uint8Array(HLS_GMAC_OCTETS);
  proof.set(content.subarray(0, 5));
  proof.set(content.subarray(content.length - 12), 5);
  return proof;
}

/** The counter of a proof that verifies; undefined when it doesn't. */
export function verifyGmac(
  crypto: Crypto,
  keys: CipherKeys,
  systemTitle: Uint8Array,
  challenge: Uint8Array,
  proof: Uint8Array,
  expectedSuite: SecuritySuite = 0,
): number | undefined {
  if (proof.length !== HLS_GMAC_OCTETS) return undefined;
  const { suite, authenticated, encrypted, broadcastKey } = securityControlOf(proof[0] as number);
  if (suite !== expectedSuite || !authenticated || encrypted || broadcastKey) return undefined;
  const content = new Uint8Array(HLS_GMAC_OCTETS + challenge.length);
  content.set(proof.subarray(0, 5));
  content.set(challenge, 5);
  content.set(proof.subarray(5), 5 + challenge.length);
  const opened = openContent(crypto, keys, systemTitle, content);
  return opened.kind === "opened" ? opened.invocationCounter : undefined;
}
