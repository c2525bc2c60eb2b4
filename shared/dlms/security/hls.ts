import type { Crypto, Curve, PrivateKey } from "../../ports/crypto.ts";
import { concat, equalOctets } from "../../ports/octets.ts";
import { proveGmac, verifyGmac } from "./hls-gmac.ts";
import type { CipherKeys } from "./protection.ts";
import type { SecuritySuite } from "./security-suite.ts";

/** HLS mechanisms by number: 2 manufacturer's own, 3 MD5, 4 SHA-1, 5 GMAC, 6 SHA-256, 7 ECDSA. */
export type HlsMechanism = "hls-manufacturer" | "hls-md5" | "hls-sha1" | "hls-gmac" | "hls-sha256" | "hls-ecdsa";
/** Challenges of mechanism 7 have 32 octets at least. */
export const ECDSA_CHALLENGE_MIN = 32;

/** A proof that verified; `counter`: the invocation counter that it carries, GMAC alone. */
export interface Proved {
  readonly counter: number | undefined;
}

/**
 * One side of passes 3 and 4. `received` is the challenge that came from the other side, `sent` the own one. A
 * manufacturer's own mechanism (2) implements it too.
 */
export interface Hls {
  /** f(received) under the own title. */
  prove(received: Uint8Array, sent: Uint8Array): Uint8Array;
  /** Checks the other side's f(sent); undefined: it does not verify. */
  verify(sent: Uint8Array, received: Uint8Array, proof: Uint8Array): Proved | undefined;
}

/** Titles of the two sides, 8 octets each. */
export interface Titles {
  readonly own: Uint8Array;
  readonly peer: Uint8Array;
}

/** Mechanism 5. `nextCounter` draws the counter of one proof. */
export const gmacHls = (
  crypto: Crypto,
  keys: CipherKeys,
  suite: SecuritySuite,
  titles: Titles,
  nextCounter: () => number,
): Hls => ({
  prove: (received) =>
    proveGmac(crypto, keys, { systemTitle: titles.own, invocationCounter: nextCounter() }, received, suite),
  verify: (sent, _, proof) => {
    const counter = verifyGmac(crypto, keys, titles.peer, sent, proof, suite);
    return counter === undefined ? undefined : { counter };
  },
});

/** Mechanisms 3 and 4: H(challenge || secret). */
export const digestHls = (crypto: Crypto, algorithm: "md5" | "sha1", secret: Uint8Array): Hls => {
  const f = (challenge: Uint8Array): Uint8Array => crypto.hash(algorithm, concat(challenge, secret));
  return {
    prove: f,
    verify: (sent, _, proof) => (equalOctets(f(sent), proof) ? { counter: undefined } : undefined),
  };
};

/** Mechanism 6: SHA-256(secret || title of who proves || other title || challenge that it got || challenge that it sent). */
export const sha256Hls = (crypto: Crypto, secret: Uint8Array, titles: Titles): Hls => {
  const f = (prover: Uint8Array, other: Uint8Array, got: Uint8Array, gave: Uint8Array): Uint8Array =>
    crypto.hash("sha256", concat(secret, prover, other, got, gave));
  return {
    prove: (received, sent) => f(titles.own, titles.peer, received, sent),
    verify: (sent, received, proof) =>
      equalOctets(f(titles.peer, titles.own, sent, received), proof) ? { counter: undefined } : undefined,
  };
};

/** Mechanism 7: a signature over title of who proves || other title || challenge that it got || challenge that it sent. */
export const ecdsaHls = (
  crypto: Crypto,
  keys: { readonly own: PrivateKey; readonly curve: Curve; readonly peer: Uint8Array },
  titles: Titles,
): Hls => ({
  prove: (received, sent) => crypto.sign(keys.own, concat(titles.own, titles.peer, received, sent)),
  verify: (sent, received, proof) =>
    crypto.verify(keys.curve, keys.peer, concat(titles.peer, titles.own, sent, received), proof)
      ? { counter: undefined }
      : undefined,
});
