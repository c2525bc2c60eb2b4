import { type KMSClient, KMSInvalidSignatureException, SignCommand, VerifyCommand } from "@aws-sdk/client-kms";
import type { SealSigner } from "../../shared/security/audit-seal.ts";

const HOW = { MessageType: "RAW", SigningAlgorithm: "ECDSA_SHA_256" } as const;
const octets = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Signs seals with a key pair that never leaves KMS. */
export const kmsSealSigner = (kms: KMSClient, KeyId: string): SealSigner => ({
  async sign(text) {
    const { Signature } = await kms.send(new SignCommand({ KeyId, Message: octets(text), ...HOW }));
    return Buffer.from(Signature ?? []).toString("base64");
  },
  async verify(text, signature) {
    const Signature = Buffer.from(signature, "base64");
    try {
      const { SignatureValid } = await kms.send(new VerifyCommand({ KeyId, Message: octets(text), Signature, ...HOW }));
      return SignatureValid === true;
    } catch (error) {
      if (error instanceof KMSInvalidSignatureException) return false;
      throw error;
    }
  },
});
