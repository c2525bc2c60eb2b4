import type { DlmsProfile } from "../metering/profile.ts";
import type { Crypto, Curve } from "../ports/crypto.ts";
import { assert } from "../ports/errors.ts";
import { concat, fromHex, toHex } from "../ports/octets.ts";

const SUITE = {
  0: { keyOctets: 16, curve: undefined },
  1: { keyOctets: 16, curve: "P-256" },
  2: { keyOctets: 32, curve: "P-384" },
} as const;
const SCALAR_OCTETS: Readonly<Record<Curve, number>> = { "P-256": 32, "P-384": 48 };

/** Secrets as they are enrolled; a meter with the fault `wrong-key` holds others. Hex. */
export interface SimulatedKeys {
  readonly unicast?: string;
  readonly authentication?: string;
  readonly llsSecret?: string;
  readonly hlsSecret?: string;
  readonly master?: string;
  /** Suites 1 and 2: the headend's private keys, and the meter's points. */
  readonly clientSigning?: string;
  readonly clientAgreement?: string;
  readonly meterSigning?: string;
  readonly meterAgreement?: string;
}
/** What the meter holds: the same, and the private keys behind its points. */
export interface HeldKeys extends SimulatedKeys {
  readonly meterSigningKey?: string;
  readonly meterAgreementKey?: string;
}

/** Octets that depend on the purpose alone. `secret`: 16 octets for a purpose, as hex. */
export type SecretSource = (purpose: string) => string;

function scalarOf(crypto: Crypto, secret: SecretSource, curve: Curve, purpose: string): string {
  for (let tries = 0; tries < 4; tries++) {
    const parts = Array.from({ length: SCALAR_OCTETS[curve] / 16 }, (_, part) =>
      fromHex(secret(`${purpose} ${tries} ${part}`)),
    );
    const scalar = concat(...parts);
    if (crypto.privateKey(curve, scalar) !== undefined) return toHex(scalar);
  }
  assert(false, "one of four scalars is a private key");
}
export function pointOf(crypto: Crypto, curve: Curve, scalar: string): string {
  const key = crypto.privateKey(curve, fromHex(scalar));
  assert(key !== undefined, "a simulated scalar is a private key");
  return toHex(crypto.publicKeyOf(key));
}

/** The secrets that a profile's way of securing needs, as the headend enrols them and as the meter holds them. */
export function simulatedKeys(
  crypto: Crypto,
  profile: DlmsProfile,
  secret: SecretSource,
): { readonly enrolled: SimulatedKeys; readonly held: HeldKeys } {
  const { authentication, ciphering, securitySuite } = profile.dlms.access;
  const { keyOctets, curve } = SUITE[securitySuite];
  const keyed = authentication === "hls-gmac" || authentication === "hls-ecdsa" || ciphering !== "none";
  const key = (purpose: string): string =>
    keyOctets === 16 ? secret(purpose) : `${secret(purpose)}${secret(`${purpose} second half`)}`;
  const digest = authentication === "hls-md5" || authentication === "hls-sha1" || authentication === "hls-sha256";
  const symmetric: SimulatedKeys = {
    ...(keyed && { unicast: key("unicast"), authentication: key("authentication") }),
    ...(keyed && profile.dlms.securitySetup !== undefined && { master: key("master") }),
    ...(authentication === "lls" && { llsSecret: secret("secret") }),
    ...(digest && { hlsSecret: secret("hls secret") }),
  };
  if (curve === undefined || !keyed) return { enrolled: symmetric, held: symmetric };
  const scalar = (purpose: string): string => scalarOf(crypto, secret, curve, purpose);
  const meterSigningKey = scalar("meter signing");
  const meterAgreementKey = scalar("meter agreement");
  const enrolled = {
    ...symmetric,
    clientSigning: scalar("client signing"),
    clientAgreement: scalar("client agreement"),
    meterSigning: pointOf(crypto, curve, meterSigningKey),
    meterAgreement: pointOf(crypto, curve, meterAgreementKey),
  };
  return { enrolled, held: { ...enrolled, meterSigningKey, meterAgreementKey } };
}
