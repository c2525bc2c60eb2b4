import { KMSClient } from "@aws-sdk/client-kms";
import { s3Client } from "./aws-clients.ts";
import { kmsSealSigner } from "./kms-seal-signer.ts";
import { s3Seals } from "./s3-seals.ts";
import { Setting, settings } from "./settings.ts";

/** Seals of the audit and who signs them, as the environment says. */
export function sealPorts() {
  const env = settings({ SEAL_BUCKET: Setting, SEAL_KEY_ARN: Setting });
  return { seals: s3Seals(s3Client(), env.SEAL_BUCKET), signer: kmsSealSigner(new KMSClient({}), env.SEAL_KEY_ARN) };
}
