import type { Certificate, Crypto, Curve } from "../../ports/crypto.ts";
import { equalOctets, toHex } from "../../ports/octets.ts";

/** What a device's key is certified for; one certificate serves one of them. */
export type CertifiedUse = "signing" | "agreement";

export interface CertificateTrust {
  /** DER. A chain ends at one of these, which are believed for themselves. */
  readonly anchors: readonly Uint8Array[];
  /** DER. Between the device's certificate and an anchor, in any order. */
  readonly intermediates?: readonly Uint8Array[];
  /** Clock milliseconds at which all of the chain must be valid. */
  readonly now: number;
}

export type CertificateRefusal =
  /** No X.509 certificate of a key on one of the curves. */
  | "malformed"
  /** Of another curve than the suite's. */
  | "wrong-curve"
  /** Its common name is not the device's system title. */
  | "wrong-title"
  /** Not certified for this use, or for both. */
  | "wrong-use"
  | "expired"
  | "not-yet-valid"
  /** No anchor is reached. */
  | "untrusted";

export type CertifiedKey =
  | { readonly kind: "certified"; readonly publicKey: Uint8Array }
  | { readonly kind: "refused"; readonly because: CertificateRefusal };

/** Certificates of a chain, the device's own not counted. */
const CHAIN_MAX = 4;
const USAGE = { signing: "digitalSignature", agreement: "keyAgreement" } as const;

interface Link {
  readonly der: Uint8Array;
  readonly certificate: Certificate;
}

function timely({ notBefore, notAfter }: Certificate, now: number): CertificateRefusal | undefined {
  if (now < notBefore) return "not-yet-valid";
  return now > notAfter ? "expired" : undefined;
}

/** Whether one may have issued the other: by name, by constraint and use, and by its signature. */
function issued(crypto: Crypto, child: Link, parent: Link): boolean {
  const { certificate } = parent;
  if (child.certificate.issuer !== certificate.subject || !certificate.authority) return false;
  if (certificate.keyUsage.length > 0 && !certificate.keyUsage.includes("keyCertSign")) return false;
  return crypto.issued(child.der, certificate.curve, certificate.publicKey);
}

function parsed(crypto: Crypto, ders: readonly Uint8Array[]): readonly Link[] {
  return ders.flatMap((der) => {
    const certificate = crypto.certificate(der);
    return certificate === undefined ? [] : [{ der, certificate }];
  });
}

/** Climbs to an anchor; undefined: there is one above. The first thing that spoils a way is told. */
function climb(crypto: Crypto, from: Link, trust: CertificateTrust, steps: number): CertificateRefusal | undefined {
  const late = timely(from.certificate, trust.now);
  if (late !== undefined) return late;
  if (steps > CHAIN_MAX) return "untrusted";
  let refused: CertificateRefusal = "untrusted";
  for (const anchor of parsed(crypto, trust.anchors)) {
    if (equalOctets(anchor.der, from.der)) return undefined;
    if (!issued(crypto, from, anchor)) continue;
    const because = timely(anchor.certificate, trust.now);
    if (because === undefined) return undefined;
    refused = because;
  }
  for (const next of parsed(crypto, trust.intermediates ?? [])) {
    if (equalOctets(next.der, from.der) || !issued(crypto, from, next)) continue;
    const because = climb(crypto, next, trust, steps + 1);
    if (because === undefined) return undefined;
    refused = because;
  }
  return refused;
}

/**
 * The public key that a device's certificate vouches for: of the suite's curve, named by the device's system title (common
 * name, 16 hex digits, by the rules of DLMS), for this use alone, valid now, and under a trust anchor. Revocation is not
 * looked at: meters' authorities publish no lists that a headend could reach.
 */
export function certifiedKey(
  crypto: Crypto,
  der: Uint8Array,
  expected: { readonly title: Uint8Array; readonly curve: Curve; readonly use: CertifiedUse },
  trust: CertificateTrust,
): CertifiedKey {
  const refused = (because: CertificateRefusal): CertifiedKey => ({ kind: "refused", because });
  const certificate = crypto.certificate(der);
  if (certificate === undefined) return refused("malformed");
  if (certificate.curve !== expected.curve) return refused("wrong-curve");
  if (certificate.commonName?.toLowerCase() !== toHex(expected.title)) return refused("wrong-title");
  const uses = certificate.keyUsage.filter((use) => use !== "keyCertSign");
  if (certificate.authority || uses.length !== 1 || uses[0] !== USAGE[expected.use]) return refused("wrong-use");
  const because = climb(crypto, { der, certificate }, trust, 0);
  return because === undefined ? { kind: "certified", publicKey: certificate.publicKey } : refused(because);
}
