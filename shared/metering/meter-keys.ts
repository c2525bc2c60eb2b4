import { z } from "zod";

const KeyHex = z
  .string()
  .regex(/^(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{64})$/, "expected 32 or 64 hex digits (AES-128 or AES-256)")
  .transform((key) => key.toLowerCase());

const secretHex = z.string().regex(/^(?:[0-9a-fA-F]{2}){1,64}$/, "expected 1 to 64 octets as hex");
const privateHex = z
  .string()
  .regex(/^(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{96})$/, "expected 64 or 96 hex digits (P-256 or P-384)");
const pointHex = z
  .string()
  .regex(/^(?:[0-9a-fA-F]{128}|[0-9a-fA-F]{192})$/, "expected a point x || y of 128 or 192 hex digits");
const certificateHex = z
  .string()
  .regex(/^30(?:[0-9a-fA-F]{2}){1,4095}$/, "expected an X.509 certificate, DER as hex, of at most 4096 octets");

/**
 * All secrets of one meter: the plaintext of its sealed blob. Only in bridge memory, only for a session, and at the
 * edge that enrols it. Hex; never logged, never in an exception.
 */
export const MeterKeys = z.strictObject({
  /** DLMS global unicast encryption key. */
  unicast: KeyHex.optional(),
  /** DLMS (global) authentication key. */
  authentication: KeyHex.optional(),
  /** DLMS LLS secret, 1 to 64 octets as hex. */
  llsSecret: secretHex.optional(),
  /** DLMS HLS secret of mechanisms 3, 4 and 6, and where it has one 2. */
  hlsSecret: secretHex.optional(),
  /** DLMS master key (KEK), which wraps new keys. */
  master: KeyHex.optional(),
  /** Suites 1 and 2: this headend's private keys towards the meter, and the meter's points. */
  clientSigning: privateHex.optional(),
  clientAgreement: privateHex.optional(),
  meterSigning: pointHex.optional(),
  meterAgreement: pointHex.optional(),
  /**
   * In the place of points: the meter's certificates and what issued them, anchors last. Its points are believed only under
   * one of `authorities`, with its title for a name.
   */
  meterSigningCertificate: certificateHex.optional(),
  meterAgreementCertificate: certificateHex.optional(),
  intermediates: z.array(certificateHex).max(4).optional(),
  authorities: z.array(certificateHex).min(1).max(8).optional(),
});
export type MeterKeys = z.infer<typeof MeterKeys>;
