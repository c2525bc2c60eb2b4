import { SessionError } from "../../metering/failure.ts";
import type { MeterKeys } from "../../metering/meter-keys.ts";
import type { Crypto, PrivateKey } from "../../ports/crypto.ts";
import { equalOctets, parseHex } from "../../ports/octets.ts";
import { type CertifiedUse, certifiedKey } from "../security/certificate.ts";
import type { CipheringSecrets } from "../security/general-ciphering.ts";
import type { CipherKeys } from "../security/protection.ts";
import { POINT_OCTETS, type SecuritySuite, SUITES } from "../security/security-suite.ts";

const missing = (what: string): SessionError =>
  new SessionError("auth", "dlms.keys-missing", `expected the meter's ${what}`);

function keyOctets(name: string, hex: string | undefined, suite: SecuritySuite): Uint8Array {
  const octets = hex === undefined ? undefined : parseHex(hex);
  const { keyOctets: length } = SUITES[suite];
  if (octets?.length !== length) throw missing(`${name} key of ${length} octets`);
  return octets;
}

/** The symmetric keys of a suite as handles. Throws `SessionError` `dlms.keys-missing`. */
export const cipherKeysOf = (crypto: Crypto, keys: MeterKeys | undefined, suite: SecuritySuite = 0): CipherKeys => ({
  encryption: crypto.secretKey(keyOctets("unicast", keys?.unicast, suite)),
  authentication: keyOctets("authentication", keys?.authentication, suite),
});

/** Whose certificates a session believes, and when. */
export interface CertifiedPeer {
  readonly title: Uint8Array;
  /** Clock milliseconds. */
  readonly now: number;
}

/** The point of the meter's certificate. Throws `SessionError` `dlms.certificate-…`. */
function certifiedPoint(
  crypto: Crypto,
  keys: MeterKeys,
  certificate: string,
  expected: Parameters<typeof certifiedKey>[2],
  now: number,
): Uint8Array {
  const octets = (hex: string): Uint8Array => parseHex(hex) ?? new Uint8Array(0);
  const anchors = (keys.authorities ?? []).map(octets);
  const intermediates = (keys.intermediates ?? []).map(octets);
  const found = certifiedKey(crypto, octets(certificate), expected, { anchors, intermediates, now });
  if (found.kind === "certified") return found.publicKey;
  throw new SessionError(
    "auth",
    `dlms.certificate-${found.because}`,
    `the meter's certificate for ${expected.use} is refused: ${found.because}`,
    { detail: { use: expected.use } },
  );
}

/**
 * All that the meter's blob holds for a suite. A point that stands beside a certificate must be the certificate's. Throws
 * `SessionError` `dlms.keys-missing` for a key that does not fit, `dlms.certificate-…` for a certificate that is refused.
 */
export function cipheringSecretsOf(
  crypto: Crypto,
  keys: MeterKeys | undefined,
  suite: SecuritySuite,
  certified?: CertifiedPeer,
): CipheringSecrets {
  const { curve } = SUITES[suite];
  const global = cipherKeysOf(crypto, keys, suite);
  const masterKey = keys?.master === undefined ? {} : { masterKey: keyOctets("master", keys.master, suite) };
  if (curve === undefined) return { global, ...masterKey };
  const own = (name: string, hex: string | undefined): PrivateKey | undefined => {
    if (hex === undefined) return undefined;
    const scalar = parseHex(hex);
    const key = scalar && crypto.privateKey(curve, scalar);
    if (key === undefined) throw missing(`${name} key on ${curve}`);
    return key;
  };
  const point = (name: string, hex: string | undefined): Uint8Array | undefined => {
    const octets = hex === undefined ? undefined : parseHex(hex);
    if (hex !== undefined && octets?.length !== POINT_OCTETS[curve]) throw missing(`${name} point on ${curve}`);
    return octets;
  };
  const peerPoint = (use: CertifiedUse, hex: string | undefined, certificate: string | undefined) => {
    const enrolled = point(use, hex);
    if (keys === undefined || certificate === undefined || certified === undefined) return enrolled;
    const told = certifiedPoint(crypto, keys, certificate, { title: certified.title, curve, use }, certified.now);
    if (enrolled !== undefined && !equalOctets(enrolled, told)) throw missing(`${use} point as its certificate has it`);
    return told;
  };
  const found = {
    ownSigning: own("client's signing", keys?.clientSigning),
    ownAgreement: own("client's agreement", keys?.clientAgreement),
    peerSigning: peerPoint("signing", keys?.meterSigning, keys?.meterSigningCertificate),
    peerAgreement: peerPoint("agreement", keys?.meterAgreement, keys?.meterAgreementCertificate),
  };
  const present = Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined));
  return { global, curve, ...masterKey, ...present };
}

function secretOctets(name: string, hex: string | undefined): Uint8Array {
  const octets = hex === undefined ? undefined : parseHex(hex);
  if (octets === undefined) throw missing(name);
  return octets;
}
/** The LLS secret. Throws `SessionError` `dlms.keys-missing`. */
export const llsSecretOf = (keys: MeterKeys | undefined): Uint8Array => secretOctets("LLS secret", keys?.llsSecret);
/** The HLS secret of mechanisms 3, 4 and 6. Throws `SessionError` `dlms.keys-missing`. */
export const hlsSecretOf = (keys: MeterKeys | undefined): Uint8Array => secretOctets("HLS secret", keys?.hlsSecret);
