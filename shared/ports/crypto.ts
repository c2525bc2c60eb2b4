/**
 * The crypto port: synchronous, and over key *handles* (made once a session). Deterministic calls only: random octets
 * and new keys come from the caller. Implementations: `node-crypto.ts`.
 */
declare const handle: unique symbol;

/** An opaque secret key; it does not print, serialise or compare. */
export interface SecretKey {
  readonly [handle]: "secret";
}

export interface Crypto {
  /** 16, 24 or 32 octets. The octets may be overwritten by the caller afterwards. */
  secretKey(octets: Uint8Array): SecretKey;
  /** AES-GCM, 12-octet IV; answers ciphertext || tag. NIST SP 800-38D. */
  gcmSeal(key: SecretKey, iv: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, tagOctets: number): Uint8Array;
  /** Opens ciphertext || tag; undefined when the tag does not verify. */
  gcmOpen(
    key: SecretKey,
    iv: Uint8Array,
    aad: Uint8Array,
    sealed: Uint8Array,
    tagOctets: number,
  ): Uint8Array | undefined;
  hash(algorithm: "md5" | "sha1" | "sha256" | "sha384" | "sha512", octets: Uint8Array): Uint8Array;
  /** HMAC-SHA-256. */
  hmacSha256(key: Uint8Array, octets: Uint8Array): Uint8Array;
  /** RFC 3394 key unwrap; undefined when the integrity check fails. */
  unwrapKey(kek: Uint8Array, wrapped: Uint8Array): Uint8Array | undefined;
  /** RFC 3394 key wrap; `key` is a multiple of 8 octets, at least 16. */
  wrapKey(kek: Uint8Array, key: Uint8Array): Uint8Array;
}
