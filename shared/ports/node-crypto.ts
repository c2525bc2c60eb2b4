import {
  createCipheriv,
  createDecipheriv,
  createECDH,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  type KeyObject,
  sign,
  verify,
  X509Certificate,
} from "node:crypto";
import type { Certificate, Crypto, Curve, PrivateKey, SecretKey } from "./crypto.ts";
import { assert } from "./errors.ts";

const GCM = { 16: "aes-128-gcm", 24: "aes-192-gcm", 32: "aes-256-gcm" } as const;
const gcmName = (key: KeyObject): (typeof GCM)[keyof typeof GCM] => GCM[key.symmetricKeySize as keyof typeof GCM];
/** Options by the octets of a tag, made once: one call a message is what they cost otherwise. */
const TAG_OPTIONS = Array.from({ length: 17 }, (_, authTagLength) => ({ authTagLength }));
const open = (key: SecretKey): KeyObject => key as unknown as KeyObject;
const wrapName = (kek: Uint8Array): string => `id-aes${kek.length * 8}-wrap`;
const WRAP_IV = Buffer.from("a6a6a6a6a6a6a6a6", "hex"); // RFC 3394 section 2.2.3.1

/* Keys on curves and certificates. */

const FIELD: Readonly<Record<Curve, number>> = { "P-256": 32, "P-384": 48 };
const HASH: Readonly<Record<Curve, string>> = { "P-256": "sha256", "P-384": "sha384" };
const NODE_NAME: Readonly<Record<Curve, string>> = { "P-256": "prime256v1", "P-384": "secp384r1" };

const openPrivate = (key: PrivateKey): KeyObject => key as unknown as KeyObject;
const base64 = (octets: Uint8Array): string => Buffer.from(octets).toString("base64url");

function curveOf(key: KeyObject): Curve | undefined {
  const name = key.asymmetricKeyType === "ec" ? key.asymmetricKeyDetails?.namedCurve : undefined;
  return name === NODE_NAME["P-256"] ? "P-256" : name === NODE_NAME["P-384"] ? "P-384" : undefined;
}

/** Undefined: no point of the curve. */
function publicKeyObject(curve: Curve, point: Uint8Array): KeyObject | undefined {
  const field = FIELD[curve];
  if (point.length !== field * 2) return undefined;
  try {
    const jwk = { kty: "EC", crv: curve, x: base64(point.subarray(0, field)), y: base64(point.subarray(field)) };
    return createPublicKey({ key: jwk, format: "jwk" });
  } catch {
    return undefined;
  }
}

function pointOf(key: KeyObject): Uint8Array {
  const { x = "", y = "" } = key.export({ format: "jwk" });
  return new Uint8Array(Buffer.concat([Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]));
}

const USAGES = { digitalSignature: 0x80, keyAgreement: 0x08, keyCertSign: 0x04 } as const;
/** Object identifier 2.5.29.15, key usage, as it stands in a certificate. */
const KEY_USAGE = Buffer.from("0603551d0f", "hex");

/** node:crypto tells the *extended* key usage only: the extension is one BIT STRING of one or two octets. */
function keyUsageOf(raw: Buffer): Certificate["keyUsage"] {
  const at = raw.indexOf(KEY_USAGE);
  if (at < 0) return [];
  let next = at + KEY_USAGE.length;
  if (raw[next] === 0x01) next += 3; // critical
  if (raw[next] !== 0x04 || raw[next + 2] !== 0x03) return [];
  const bits = raw[next + 5] ?? 0;
  return (Object.keys(USAGES) as (keyof typeof USAGES)[]).filter((usage) => (bits & USAGES[usage]) !== 0);
}

function parsed(der: Uint8Array): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch {
    return undefined;
  }
}

/** Throws when the scalar is none of the curve's. */
function publicJwk(curve: Curve, scalar: Uint8Array): { kty: string; crv: string; x: string; y: string } {
  const pair = createECDH(NODE_NAME[curve]);
  pair.setPrivateKey(scalar);
  const point = pair.getPublicKey().subarray(1);
  const field = FIELD[curve];
  return { kty: "EC", crv: curve, x: base64(point.subarray(0, field)), y: base64(point.subarray(field)) };
}

const onCurves: Pick<Crypto, "privateKey" | "publicKeyOf" | "sign" | "verify" | "agree" | "certificate" | "issued"> = {
  privateKey(curve, scalar) {
    if (scalar.length !== FIELD[curve]) return undefined;
    try {
      const { crv, kty, x, y } = publicJwk(curve, scalar);
      const jwk = { kty, crv, x, y, d: base64(scalar) };
      return createPrivateKey({ key: jwk, format: "jwk" }) as unknown as PrivateKey;
    } catch {
      return undefined;
    }
  },
  publicKeyOf: (key) => pointOf(createPublicKey(openPrivate(key))),
  sign(key, octets) {
    const curve = curveOf(openPrivate(key));
    assert(curve !== undefined, "a private key has a curve");
    return new Uint8Array(sign(HASH[curve], octets, { key: openPrivate(key), dsaEncoding: "ieee-p1363" }));
  },
  verify(curve, publicKey, octets, signature) {
    const key = publicKeyObject(curve, publicKey);
    if (key === undefined || signature.length !== FIELD[curve] * 2) return false;
    return verify(HASH[curve], octets, { key, dsaEncoding: "ieee-p1363" }, signature);
  },
  agree(key, publicKey) {
    const curve = curveOf(openPrivate(key));
    assert(curve !== undefined, "a private key has a curve");
    const other = publicKeyObject(curve, publicKey);
    return other && new Uint8Array(diffieHellman({ privateKey: openPrivate(key), publicKey: other }));
  },
  certificate(der) {
    const found = parsed(der);
    const curve = found && curveOf(found.publicKey);
    if (found === undefined || curve === undefined) return undefined;
    return {
      curve,
      publicKey: pointOf(found.publicKey),
      commonName: /^CN=(.*)$/m.exec(found.subject)?.[1],
      subject: found.subject,
      issuer: found.issuer,
      authority: found.ca,
      notBefore: Date.parse(found.validFrom),
      notAfter: Date.parse(found.validTo),
      keyUsage: keyUsageOf(found.raw),
    };
  },
  issued(der, curve, issuerKey) {
    const key = publicKeyObject(curve, issuerKey);
    return key !== undefined && (parsed(der)?.verify(key) ?? false);
  },
};

/** The crypto port on node:crypto. */
export const nodeCrypto: Crypto = {
  secretKey(octets) {
    assert([16, 24, 32].includes(octets.length), "an AES key has 16, 24 or 32 octets");
    return createSecretKey(octets) as unknown as SecretKey;
  },
  gcmSeal(key, iv, aad, plaintext, tagOctets) {
    const cipher = createCipheriv(
      gcmName(open(key)),
      open(key),
      iv,
      TAG_OPTIONS[tagOctets] as { authTagLength: number },
    );
    cipher.setAAD(aad);
    const sealed = new Uint8Array(plaintext.length + tagOctets);
    sealed.set(cipher.update(plaintext));
    cipher.final();
    sealed.set(cipher.getAuthTag(), plaintext.length);
    return sealed;
  },
  gcmOpen(key, iv, aad, sealed, tagOctets) {
    if (sealed.length < tagOctets) return undefined;
    const split = sealed.length - tagOctets;
    const decipher = createDecipheriv(
      gcmName(open(key)),
      open(key),
      iv,
      TAG_OPTIONS[tagOctets] as { authTagLength: number },
    );
    decipher.setAAD(aad);
    decipher.setAuthTag(sealed.subarray(split));
    const plaintext = decipher.update(sealed.subarray(0, split));
    try {
      decipher.final();
    } catch {
      return undefined; // the only thing final() tells in GCM: the tag is wrong
    }
    return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.length);
  },
  blockCipher(key) {
    const cipher = createCipheriv(`aes-${open(key).symmetricKeySize! * 8}-ecb`, open(key), null).setAutoPadding(false);
    return (blocks) => {
      assert(blocks.length % 16 === 0, "a block cipher takes whole blocks of 16 octets");
      return new Uint8Array(cipher.update(blocks));
    };
  },
  cbcMac(key) {
    const none = new Uint8Array(16);
    const cipher = createCipheriv(`aes-${open(key).symmetricKeySize! * 8}-cbc`, open(key), none).setAutoPadding(false);
    // One cipher for all messages: it goes on from its last block, which is taken out of the next first one.
    let last: Uint8Array = none;
    return (initial, blocks) => {
      assert(blocks.length > 0 && blocks.length % 16 === 0, "a block cipher takes whole blocks of 16 octets");
      const input = blocks.slice();
      for (let index = 0; index < 16; index++) input[index]! ^= initial[index]! ^ last[index]!;
      last = new Uint8Array(cipher.update(input).subarray(-16));
      return last.slice();
    };
  },
  hash: (algorithm, octets) => new Uint8Array(createHash(algorithm).update(octets).digest()),
  hmacSha256: (key, octets) => new Uint8Array(createHmac("sha256", key).update(octets).digest()),
  wrapKey(kek, key) {
    const cipher = createCipheriv(wrapName(kek), kek, WRAP_IV);
    return new Uint8Array(Buffer.concat([cipher.update(key), cipher.final()]));
  },
  unwrapKey(kek, wrapped) {
    try {
      const decipher = createDecipheriv(wrapName(kek), kek, WRAP_IV);
      return new Uint8Array(Buffer.concat([decipher.update(wrapped), decipher.final()]));
    } catch {
      return undefined;
    }
  },
  ...onCurves,
};
