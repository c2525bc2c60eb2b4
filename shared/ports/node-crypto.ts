import { createCipheriv, createDecipheriv, createHash, createHmac, createSecretKey, type KeyObject } from "node:crypto";
import type { Crypto, SecretKey } from "./crypto.ts";
import { assert } from "./errors.ts";

const gcmName = (key: KeyObject): "aes-128-gcm" | "aes-192-gcm" | "aes-256-gcm" =>
  `aes-${(key.symmetricKeySize! * 8) as 128 | 192 | 256}-gcm`;
const open = (key: SecretKey): KeyObject => key as unknown as KeyObject;
const wrapName = (kek: Uint8Array): string => `id-aes${kek.length * 8}-wrap`;
const WRAP_IV = Buffer.from("a6a6a6a6a6a6a6a6", "hex"); // RFC 3394 section 2.2.3.1

/** The crypto port on node:crypto. */
export const nodeCrypto: Crypto = {
  secretKey(octets) {
    assert([16, 24, 32].includes(octets.length), "an AES key has 16, 24 or 32 octets");
    return createSecretKey(octets) as unknown as SecretKey;
  },
  gcmSeal(key, iv, aad, plaintext, tagOctets) {
    const cipher = createCipheriv(gcmName(open(key)), open(key), iv, { authTagLength: tagOctets });
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
    const decipher = createDecipheriv(gcmName(open(key)), open(key), iv, { authTagLength: tagOctets });
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
};
