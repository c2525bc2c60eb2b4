import { z } from "zod";

const KeyHex = z
  .string()
  .regex(/^(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{64})$/, "expected 32 or 64 hex digits (AES-128 or AES-256)")
  .transform((key) => key.toLowerCase());

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
  llsSecret: z
    .string()
    .regex(/^(?:[0-9a-fA-F]{2}){1,64}$/, "expected 1 to 64 octets as hex")
    .optional(),
});
export type MeterKeys = z.infer<typeof MeterKeys>;
