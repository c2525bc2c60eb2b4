import type { Crypto } from "../../ports/crypto.ts";
import { assert } from "../../ports/errors.ts";
import type { Random } from "../../ports/random.ts";
import { digestHls, ecdsaHls, gmacHls, type Hls, sha256Hls } from "../security/hls.ts";
import { AUTHENTICATED_AND_ENCRYPTED } from "../security/security-policy.ts";
import { POINT_OCTETS, SUITES } from "../security/security-suite.ts";
import type { ClientSecurity, HlsSecurity } from "./logical-device.ts";
import { freshCounters, type SecureContext } from "./protection.ts";

/** What a client's rule gives an association to open and protect with. */
export function secureContextOf(
  { crypto, random }: { readonly crypto: Crypto; readonly random: Random },
  systemTitle: Uint8Array,
  security: HlsSecurity,
): SecureContext {
  const { suite = 0, keys, counters, clientSystemTitle } = security;
  const { curve } = SUITES[suite];
  const secrets = { ...security.secrets, global: keys, ...(curve && { curve }) };
  return {
    side: { crypto, suite, ownTitle: systemTitle, peerTitle: clientSystemTitle, secrets, dedicated: undefined },
    policy: security.policy ?? AUTHENTICATED_AND_ENCRYPTED,
    global: { keys, counters },
    dedicated: undefined,
    transactions: security.transactions ?? { last: undefined },
    ephemeral: () => {
      assert(curve !== undefined, "only suites 1 and 2 agree keys");
      for (let tries = 0; tries < 4; tries++) {
        const key = crypto.privateKey(curve, random.octets(POINT_OCTETS[curve] / 2));
        if (key !== undefined) return key;
      }
      throw new RangeError("expected a private key out of random octets");
    },
  };
}

/** The association's own key beside the global one, with counters of its own. */
export function withDedicatedKey(crypto: Crypto, context: SecureContext, key: Uint8Array): SecureContext {
  const keys = { encryption: crypto.secretKey(key), authentication: context.global.keys.authentication };
  return { ...context, side: { ...context.side, dedicated: keys }, dedicated: { keys, counters: freshCounters() } };
}

/** Passes 3 and 4 as the rule's mechanism has them. */
export function hlsOf(
  crypto: Crypto,
  security: Extract<ClientSecurity, HlsSecurity>,
  { side, global }: SecureContext,
): Hls {
  const titles = { own: side.ownTitle, peer: side.peerTitle };
  switch (security.mechanism) {
    case "hls-gmac":
      return gmacHls(crypto, global.keys, side.suite, titles, () => global.counters.nextOwn());
    case "hls-md5":
      return digestHls(crypto, "md5", security.hlsSecret);
    case "hls-sha1":
      return digestHls(crypto, "sha1", security.hlsSecret);
    case "hls-sha256":
      return sha256Hls(crypto, security.hlsSecret, titles);
    case "hls-manufacturer":
      return security.hls;
    case "hls-ecdsa": {
      const { curve, ownSigning, peerSigning } = side.secrets;
      assert(curve && ownSigning && peerSigning, "ECDSA needs suite 1 or 2 and the signing keys of both sides");
      return ecdsaHls(crypto, { own: ownSigning, curve, peer: peerSigning }, titles);
    }
  }
}
