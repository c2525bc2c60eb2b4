/**
 * The crypto port: synchronous, and over key *handles* (made once a session). Deterministic calls only: random octets
 * and new keys come from the caller; a signature alone may differ each time. Implementations: `node-crypto.ts`.
 */
declare const handle: unique symbol;
declare const pair: unique symbol;

/** An opaque secret key; it does not print, serialise or compare. */
export interface SecretKey {
  readonly [handle]: "secret";
}

/** AES in ECB: enciphers whole blocks of 16 octets, each by itself. Material for other modes, never a mode of its own. */
export type BlockCipher = (blocks: Uint8Array) => Uint8Array;
export type CbcMac = (initial: Uint8Array, blocks: Uint8Array) => Uint8Array;

/** NIST curves of DLMS suites 1 and 2. Points are x || y, 64 or 96 octets; signatures r || s, as long. */
export type Curve = "P-256" | "P-384";

/** An opaque private key of one curve. */
export interface PrivateKey {
  readonly [pair]: "private";
}

/** What an X.509 certificate says, as far as meters need it. */
export interface Certificate {
  readonly curve: Curve;
  /** x || y */
  readonly publicKey: Uint8Array;
  /** Common name of the subject: a system title in hex, by the rules of DLMS. */
  readonly commonName: string | undefined;
  /** Names as they stand in the certificate, in one form: equal names are equal texts. */
  readonly subject: string;
  readonly issuer: string;
  /** Basic constraints: it may issue others. */
  readonly authority: boolean;
  /** Clock milliseconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Empty: the certificate does not restrict its use. */
  readonly keyUsage: readonly ("digitalSignature" | "keyAgreement" | "keyCertSign")[];
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
  /** The AES block cipher under this key: for modes that no library has (EAX'). */
  blockCipher(key: SecretKey): BlockCipher;
  /** CBC over whole blocks from an initial value of 16 octets; answers the last block of ciphertext alone. */
  cbcMac(key: SecretKey): CbcMac;
  hash(algorithm: "md5" | "sha1" | "sha256" | "sha384" | "sha512", octets: Uint8Array): Uint8Array;
  /** HMAC-SHA-256. */
  hmacSha256(key: Uint8Array, octets: Uint8Array): Uint8Array;
  /** RFC 3394 key unwrap; undefined when the integrity check fails. */
  unwrapKey(kek: Uint8Array, wrapped: Uint8Array): Uint8Array | undefined;
  /** RFC 3394 key wrap; `key` is a multiple of 8 octets, at least 16. */
  wrapKey(kek: Uint8Array, key: Uint8Array): Uint8Array;
  /** A private key of its scalar, 32 or 48 octets; undefined: no number of the curve's order. */
  privateKey(curve: Curve, scalar: Uint8Array): PrivateKey | undefined;
  /** x || y of a private key. */
  publicKeyOf(key: PrivateKey): Uint8Array;
  /** ECDSA with SHA-256 (P-256) or SHA-384 (P-384); r || s. The nonce is the implementation's. */
  sign(key: PrivateKey, octets: Uint8Array): Uint8Array;
  /** False also for what is no point or no signature. */
  verify(curve: Curve, publicKey: Uint8Array, octets: Uint8Array, signature: Uint8Array): boolean;
  /** ECDH: the shared x-coordinate, as long as the curve's field; undefined: no point of the key's curve. */
  agree(key: PrivateKey, publicKey: Uint8Array): Uint8Array | undefined;
  /** Undefined: no X.509 certificate, or of another kind of key. */
  certificate(der: Uint8Array): Certificate | undefined;
  /** Whether the issuer's key signed the certificate; chains of one step. */
  issued(der: Uint8Array, curve: Curve, issuerKey: Uint8Array): boolean;
}
