import type { Crypto, Curve, PrivateKey } from "../../ports/crypto.ts";
import { concat, equalOctets } from "../../ports/octets.ts";
import { decode, encode } from "../../wire/codec.ts";
import { type CipheringHeader, GeneralCiphering, type KeyInfo } from "./ciphered-apdu.ts";
import { headerOctets } from "./general-signing.ts";
import { type CipherKeys, openContent, type Sender, sealContent } from "./protection.ts";
import { deriveKey, POINT_OCTETS } from "./security-suite.ts";

/** How the key of one General-Ciphering APDU comes about. */
export type CipheringKey =
  /** The global unicast key. */
  | { readonly kind: "identified" }
  /** A new key, wrapped under the master key (KEK). */
  | { readonly kind: "wrapped"; readonly key: Uint8Array }
  /** One-Pass Diffie-Hellman C(1e, 1s): an ephemeral key of the sender, signed, and the receiver's static one. */
  | { readonly kind: "one-pass"; readonly ephemeral: PrivateKey }
  /** Static Unified Model C(0e, 2s): both static keys and the transaction id. */
  | { readonly kind: "static-unified" };

/** What one side holds for General-Ciphering; what is absent cannot be used. */
export interface CipheringSecrets {
  /** Global unicast key and authentication key. */
  readonly global: CipherKeys;
  readonly masterKey?: Uint8Array;
  readonly curve?: Curve;
  readonly ownSigning?: PrivateKey;
  readonly ownAgreement?: PrivateKey;
  /** The other side's points. */
  readonly peerSigning?: Uint8Array;
  readonly peerAgreement?: Uint8Array;
}

const PARAMETER = { onePass: 0x01, staticUnified: 0x02 } as const;
const GUEK = 0;
const KEK = 0;
const NOTHING = new Uint8Array(0);

/** One-Pass: key of the ephemeral and the static key; U sends, V receives. Undefined: no point. */
export function onePassKey(
  crypto: Crypto,
  curve: Curve,
  own: PrivateKey,
  other: Uint8Array,
  originator: Uint8Array,
  recipient: Uint8Array,
): Uint8Array | undefined {
  const shared = crypto.agree(own, other);
  return shared && deriveKey(crypto, curve, shared, originator, recipient);
}

/** Static Unified: PartyU is the originator's title and the transaction id with its length. */
export function staticUnifiedKey(
  crypto: Crypto,
  curve: Curve,
  own: PrivateKey,
  other: Uint8Array,
  { originatorSystemTitle, transactionId, recipientSystemTitle }: CipheringHeader,
): Uint8Array | undefined {
  const shared = crypto.agree(own, other);
  const partyU = concat(originatorSystemTitle, Uint8Array.of(transactionId.length), transactionId);
  return shared && deriveKey(crypto, curve, shared, partyU, recipientSystemTitle);
}

/**
 * Octets that stand behind the authentication key in the AAD. Public implementations agree on the header's fields with
 * their lengths; the tag of the published example fits none of them (docs/standards.md, unverified). One place.
 */
export const extraAad = (header: CipheringHeader): Uint8Array => headerOctets(header);

interface Keyed {
  readonly keyInfo: KeyInfo;
  readonly encryption: Uint8Array | undefined;
}

function keyed(crypto: Crypto, secrets: CipheringSecrets, key: CipheringKey, header: CipheringHeader): Keyed {
  const { curve, peerAgreement, ownSigning, ownAgreement, masterKey } = secrets;
  switch (key.kind) {
    case "identified":
      return { keyInfo: { kind: "identifiedKey", keyId: GUEK }, encryption: undefined };
    case "wrapped": {
      if (masterKey === undefined) throw new RangeError("expected a master key to wrap with");
      const keyCipheredData = crypto.wrapKey(masterKey, key.key);
      return { keyInfo: { kind: "wrappedKey", kekId: KEK, keyCipheredData }, encryption: key.key };
    }
    case "one-pass": {
      if (curve === undefined || peerAgreement === undefined || ownSigning === undefined)
        throw new RangeError("expected a signing key and the other side's agreement key");
      const point = crypto.publicKeyOf(key.ephemeral);
      const { originatorSystemTitle: u, recipientSystemTitle: v } = header;
      const encryption = onePassKey(crypto, curve, key.ephemeral, peerAgreement, u, v);
      if (encryption === undefined) throw new RangeError("expected a point of the curve");
      const keyCipheredData = concat(point, crypto.sign(ownSigning, point));
      return {
        keyInfo: { kind: "agreedKey", keyParameters: Uint8Array.of(PARAMETER.onePass), keyCipheredData },
        encryption,
      };
    }
    case "static-unified": {
      if (curve === undefined || peerAgreement === undefined || ownAgreement === undefined)
        throw new RangeError("expected both sides' agreement keys");
      const encryption = staticUnifiedKey(crypto, curve, ownAgreement, peerAgreement, header);
      if (encryption === undefined) throw new RangeError("expected a point of the curve");
      const keyParameters = Uint8Array.of(PARAMETER.staticUnified);
      return { keyInfo: { kind: "agreedKey", keyParameters, keyCipheredData: NOTHING }, encryption };
    }
  }
}

/** Protects an APDU by General-Ciphering. Throws `RangeError` when a key that is needed is absent. */
export function sealGeneral(
  crypto: Crypto,
  secrets: CipheringSecrets,
  key: CipheringKey,
  header: CipheringHeader,
  control: number,
  sender: Sender,
  apdu: Uint8Array,
): Uint8Array {
  const { keyInfo, encryption } = keyed(crypto, secrets, key, header);
  const keys = keysWith(crypto, secrets, encryption);
  const cipheredContent = sealContent(crypto, keys, control, sender, apdu, extraAad(header));
  return encode(GeneralCiphering, { ...header, keyInfo, cipheredContent });
}

const keysWith = (crypto: Crypto, { global }: CipheringSecrets, encryption: Uint8Array | undefined): CipherKeys =>
  encryption === undefined
    ? global
    : { encryption: crypto.secretKey(encryption), authentication: global.authentication };

export type GeneralRefusal =
  | "title"
  | "unknown-key"
  | "bad-signature"
  | "truncated"
  | "unprotected"
  | "compressed"
  | "bad-tag";
export type OpenedGeneral =
  | {
      readonly kind: "opened";
      readonly header: CipheringHeader;
      readonly key: CipheringKey["kind"];
      readonly securityControl: number;
      readonly invocationCounter: number;
      readonly apdu: Uint8Array;
    }
  | { readonly kind: "refused"; readonly because: GeneralRefusal };

const refused = (because: GeneralRefusal): OpenedGeneral => ({ kind: "refused", because });

type FoundKey = { readonly kind: CipheringKey["kind"]; readonly octets: Uint8Array | undefined } | GeneralRefusal;

/** Key of a received APDU: whether its signature, if it has one, is the peer's, is checked first. */
function keyOf(
  crypto: Crypto,
  secrets: CipheringSecrets,
  info: KeyInfo | undefined,
  header: CipheringHeader,
): FoundKey {
  const { curve, ownAgreement, peerAgreement, peerSigning, masterKey } = secrets;
  if (info === undefined || info.kind === "identifiedKey")
    return info === undefined || info.keyId === GUEK ? { kind: "identified", octets: undefined } : "unknown-key";
  if (info.kind === "wrappedKey") {
    const octets = masterKey && info.kekId === KEK ? crypto.unwrapKey(masterKey, info.keyCipheredData) : undefined;
    const fits = octets !== undefined && (octets.length === 16 || octets.length === 32);
    return fits ? { kind: "wrapped", octets } : "unknown-key";
  }
  if (curve === undefined || ownAgreement === undefined) return "unknown-key";
  if (info.keyParameters.length !== 1) return "unknown-key";
  if (info.keyParameters[0] === PARAMETER.staticUnified) {
    if (peerAgreement === undefined || info.keyCipheredData.length !== 0) return "unknown-key";
    const octets = staticUnifiedKey(crypto, curve, ownAgreement, peerAgreement, header);
    return octets === undefined ? "unknown-key" : { kind: "static-unified", octets };
  }
  const size = POINT_OCTETS[curve];
  if (info.keyParameters[0] !== PARAMETER.onePass || info.keyCipheredData.length !== size * 2) return "unknown-key";
  const point = info.keyCipheredData.subarray(0, size);
  if (peerSigning === undefined) return "unknown-key";
  if (!crypto.verify(curve, peerSigning, point, info.keyCipheredData.subarray(size))) return "bad-signature";
  const { originatorSystemTitle: u, recipientSystemTitle: v } = header;
  const octets = onePassKey(crypto, curve, ownAgreement, point, u, v);
  return octets === undefined ? "unknown-key" : { kind: "one-pass", octets };
}

/**
 * Opens General-Ciphering from `originator` to `recipient`. Freshness (transaction id, counter) is the caller's
 * business. Throws `WireError` when malformed.
 */
export function openGeneral(
  crypto: Crypto,
  secrets: CipheringSecrets,
  titles: { readonly originator: Uint8Array; readonly recipient: Uint8Array },
  octets: Uint8Array,
): OpenedGeneral {
  const { keyInfo, cipheredContent, ...header } = decode(GeneralCiphering, octets);
  if (!equalOctets(header.originatorSystemTitle, titles.originator)) return refused("title");
  if (!equalOctets(header.recipientSystemTitle, titles.recipient)) return refused("title");
  const found = keyOf(crypto, secrets, keyInfo, header);
  if (typeof found === "string") return refused(found);
  const keys = keysWith(crypto, secrets, found.octets);
  const opened = openContent(crypto, keys, titles.originator, cipheredContent, extraAad(header));
  if (opened.kind === "refused") return opened;
  const { securityControl, invocationCounter, apdu } = opened;
  return { kind: "opened", header, key: found.kind, securityControl, invocationCounter, apdu };
}
