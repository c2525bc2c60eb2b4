import type { Crypto, Curve, PrivateKey } from "../../ports/crypto.ts";
import { concat } from "../../ports/octets.ts";
import type { Data } from "../data.ts";
import { deriveKey, POINT_OCTETS } from "./security-suite.ts";

/** key_id of the Security setup, class 64. */
export const KEY_ID = { unicast: 0, broadcast: 1, authentication: 2, master: 3 } as const;
export type KeyName = keyof typeof KEY_ID;
const nameOf = (id: number): KeyName | undefined =>
  (Object.keys(KEY_ID) as KeyName[]).find((name) => KEY_ID[name] === id);

/** Elements of key_transfer and key_agreement: structure { enum key_id, octet-string }. */
const elements = (parts: readonly (readonly [KeyName, Uint8Array])[]): Data => ({
  type: "array",
  value: parts.map(([name, value]) => ({
    type: "structure",
    value: [
      { type: "enum", value: KEY_ID[name] },
      { type: "octet-string", value },
    ],
  })),
});

/** Undefined: not of this form, or a key named twice. */
function elementsIn(data: Data | undefined): ReadonlyMap<KeyName, Uint8Array> | undefined {
  if (data?.type !== "array" || data.value.length === 0) return undefined;
  const found = new Map<KeyName, Uint8Array>();
  for (const element of data.value) {
    const [id, octets] = element.type === "structure" && element.value.length === 2 ? element.value : [];
    const name = id?.type === "enum" ? nameOf(id.value) : undefined;
    if (name === undefined || octets?.type !== "octet-string" || found.has(name)) return undefined;
    found.set(name, octets.value);
  }
  return found;
}

/** Parameter of key_transfer (method 2): new keys wrapped under the master key, RFC 3394. */
export const wrappedKeys = (
  crypto: Crypto,
  masterKey: Uint8Array,
  keys: readonly (readonly [KeyName, Uint8Array])[],
): Data => elements(keys.map(([name, key]) => [name, crypto.wrapKey(masterKey, key)] as const));

/** The keys in a parameter of key_transfer; undefined: malformed, wrongly wrapped, or not of `keyOctets`. All or nothing. */
export function unwrappedKeys(
  crypto: Crypto,
  masterKey: Uint8Array,
  keyOctets: number,
  data: Data | undefined,
): ReadonlyMap<KeyName, Uint8Array> | undefined {
  const wrapped = elementsIn(data);
  if (wrapped === undefined) return undefined;
  const keys = new Map<KeyName, Uint8Array>();
  for (const [name, octets] of wrapped) {
    const key = octets.length === keyOctets + 8 ? crypto.unwrapKey(masterKey, octets) : undefined;
    if (key === undefined) return undefined;
    keys.set(name, key);
  }
  return keys;
}

/** What one side of a key agreement (Ephemeral Unified Model C(2e, 0s), method 3) needs. */
export interface AgreementSide {
  readonly curve: Curve;
  readonly ephemeral: PrivateKey;
  readonly ownSigning: PrivateKey;
  /** Point of the other side's signing key. */
  readonly peerSigning: Uint8Array;
}

const agreed = (name: KeyName, point: Uint8Array): Uint8Array => concat(Uint8Array.of(KEY_ID[name]), point);

/** One side's contribution for one key: its ephemeral point, and the signature over key_id || point. */
export function agreementData(crypto: Crypto, side: AgreementSide, name: KeyName): Data {
  const point = crypto.publicKeyOf(side.ephemeral);
  return elements([[name, concat(point, crypto.sign(side.ownSigning, agreed(name, point)))]]);
}

/**
 * The key that the other side's contribution gives; undefined: malformed, not signed by it, or for another key. PartyU
 * is the client, PartyV the server.
 */
export function agreedKey(
  crypto: Crypto,
  side: AgreementSide,
  titles: { readonly client: Uint8Array; readonly server: Uint8Array },
  name: KeyName,
  data: Data | undefined,
): Uint8Array | undefined {
  const octets = elementsIn(data)?.get(name);
  const size = POINT_OCTETS[side.curve];
  if (octets?.length !== size * 2) return undefined;
  const point = octets.subarray(0, size);
  if (!crypto.verify(side.curve, side.peerSigning, agreed(name, point), octets.subarray(size))) return undefined;
  const shared = crypto.agree(side.ephemeral, point);
  return shared && deriveKey(crypto, side.curve, shared, titles.client, titles.server);
}
