import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { concat } from "../../shared/ports/octets.ts";
import { writeElement } from "../../shared/wire/ber.ts";
import { Writer } from "../../shared/wire/writer.ts";

/**
 * X.509 certificates of version 3 on P-256, signed with ECDSA and SHA-256 (RFC 5280, RFC 5480): what a maker of endpoints
 * gives each of them, as node:crypto reads such certificates but makes none.
 */

/** An identity as TLS takes it: PEM both. */
export interface Identity {
  readonly certificate: string;
  readonly key: string;
}

const TAG = { boolean: 1, integer: 2, bits: 3, octets: 4, oid: 6, utf8: 12, utcTime: 23, sequence: 0x30, set: 0x31 };
/** Object identifiers as they stand in a certificate. */
const ECDSA_WITH_SHA256 = "2a8648ce3d040302";
const COMMON_NAME = "550403";
const KEY_USAGE = "551d0f";
const ALTERNATIVE_NAME = "551d11";
const BASIC_CONSTRAINTS = "551d13";
const EXTENDED_USAGE = "551d25";
const SERVER_AUTH = "2b06010505070301";
const CLIENT_AUTH = "2b06010505070302";
const DAY_MS = 86_400_000;
const VALID_DAYS = 3_650;

const der = (tag: number, ...parts: readonly Uint8Array[]): Uint8Array => {
  const target = new Writer();
  writeElement(target, tag, concat(...parts));
  return target.done();
};
const oid = (hex: string): Uint8Array => der(TAG.oid, Buffer.from(hex, "hex"));
const integer = (value: Uint8Array): Uint8Array => der(TAG.integer, value);
const bits = (octets: Uint8Array, unused = 0): Uint8Array => der(TAG.bits, Uint8Array.of(unused), octets);
const name = (commonName: string): Uint8Array =>
  der(TAG.sequence, der(TAG.set, der(TAG.sequence, oid(COMMON_NAME), der(TAG.utf8, Buffer.from(commonName)))));
const time = (at: number): Uint8Array =>
  der(TAG.utcTime, Buffer.from(`${new Date(at).toISOString().replace(/\D/g, "").slice(2, 14)}Z`));
const extension = (id: string, value: Uint8Array): Uint8Array =>
  der(TAG.sequence, oid(id), der(TAG.boolean, Uint8Array.of(0xff)), der(TAG.octets, value));

const ALGORITHM = der(TAG.sequence, oid(ECDSA_WITH_SHA256));
const pem = (octets: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(octets)
    .toString("base64")
    .replaceAll(/.{64}/g, "$&\n")
    .trimEnd()}\n-----END CERTIFICATE-----\n`;

type Use = "authority" | "server" | "client";

function extensionsOf(use: Use): readonly Uint8Array[] {
  if (use === "authority")
    return [
      extension(BASIC_CONSTRAINTS, der(TAG.sequence, der(TAG.boolean, Uint8Array.of(0xff)))),
      extension(KEY_USAGE, bits(Uint8Array.of(0x04), 2)), // keyCertSign
    ];
  const purpose = oid(use === "server" ? SERVER_AUTH : CLIENT_AUTH);
  return [
    extension(KEY_USAGE, bits(Uint8Array.of(0x80), 7)), // digitalSignature
    extension(EXTENDED_USAGE, der(TAG.sequence, purpose)),
    ...(use === "server" // iPAddress 127.0.0.1
      ? [extension(ALTERNATIVE_NAME, der(TAG.sequence, der(0x87, Uint8Array.of(127, 0, 0, 1))))]
      : []),
  ];
}

interface Issuer {
  readonly name: string;
  readonly key: KeyObject;
}

function issue(subject: string, use: Use, now: number, by?: Issuer): Identity {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issuer = by ?? { name: subject, key: privateKey };
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40; // positive, and in its shortest form
  const toBeSigned = der(
    TAG.sequence,
    der(0xa0, integer(Uint8Array.of(2))),
    integer(serial),
    ALGORITHM,
    name(issuer.name),
    der(TAG.sequence, time(now - DAY_MS), time(now + VALID_DAYS * DAY_MS)),
    name(subject),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, der(TAG.sequence, ...extensionsOf(use))),
  );
  const signature = sign("sha256", toBeSigned, { key: issuer.key, dsaEncoding: "der" });
  return {
    certificate: pem(der(TAG.sequence, toBeSigned, ALGORITHM, bits(signature))),
    key: String(privateKey.export({ type: "pkcs8", format: "pem" })),
  };
}

/** An authority of a local deployment's own; its key may be handed to whoever makes endpoints. */
export class CertificateAuthority {
  readonly name: string;
  readonly identity: Identity;
  readonly #key: KeyObject;

  constructor(name: string, identity: Identity) {
    this.name = name;
    this.identity = identity;
    this.#key = createPrivateKey(identity.key);
  }

  static create(name: string, now: number): CertificateAuthority {
    return new CertificateAuthority(name, issue(name, "authority", now));
  }

  /** For a server on 127.0.0.1. */
  server(name: string, now: number): Identity {
    return issue(name, "server", now, { name: this.name, key: this.#key });
  }

  /** For an endpoint: its name is the certificate's common name. */
  client(name: string, now: number): Identity {
    return issue(name, "client", now, { name: this.name, key: this.#key });
  }
}
