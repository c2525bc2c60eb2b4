import { AlgorithmSuiteIdentifier, buildClient, CommitmentPolicy } from "@aws-crypto/client-node";
import { KmsHierarchicalKeyRingNode } from "@aws-crypto/kms-keyring-node";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { KMSClient } from "@aws-sdk/client-kms";
import { assert, HeadraceError } from "../../shared/ports/errors.ts";
import { seedOf } from "../../shared/ports/random.ts";
import type { SecretContext, SecretVault } from "../../shared/security/key-vault.ts";
import { SingleFlightBranchKeys } from "./branch-keys.ts";
import { Setting, settings } from "./settings.ts";
import { systemClock } from "./system-clock.ts";
import { systemRandom } from "./system-random.ts";

/** Commitment, no signature: reader and writer are the same trust domain, and a signature costs ten times the time. */
const SUITE = AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY;
const client = buildClient({
  commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
  maxEncryptedDataKeys: 1,
});

/** Branch keys of a deployment; meters are spread over them. More may be added; none may be taken away. At most 64. */
export const BRANCH_SHARDS = 4;
export const branchKeyId = (shard: number): string => `meter-keys-${shard.toString().padStart(2, "0")}`;
const shardOf = (subject: string, shards: number): number => seedOf(subject) % shards;

type KeyringInput = ConstructorParameters<typeof KmsHierarchicalKeyRingNode>[0];
/** The branch keys are cached, once, in `SingleFlightBranchKeys`. */
const NO_CACHE = {
  putEncryptionMaterial: () => undefined,
  putDecryptionMaterial: () => undefined,
  putBranchKeyMaterial: () => undefined,
  getEncryptionMaterial: () => false,
  getDecryptionMaterial: () => false,
  getBranchKeyMaterial: () => false,
  del: () => undefined,
} as const satisfies NonNullable<KeyringInput["cache"]>;

/** The encryption context that a secret is bound to. `branch` says which branch key; it binds nothing. */
const boundTo = (
  deployment: string,
  { subject, purpose, version }: SecretContext,
): Readonly<Record<string, string>> => ({
  deployment,
  meter: subject,
  purpose,
  version: String(version),
});

const sameContext = (expected: Readonly<Record<string, string>>, came: Readonly<Record<string, string>>): boolean => {
  const { branch, ...rest } = came;
  return (
    branch !== undefined &&
    Object.keys(rest).length === Object.keys(expected).length &&
    Object.entries(expected).every(([name, value]) => rest[name] === value)
  );
};

const nameOf = ({ subject, purpose, version }: SecretContext): string => `${purpose} of ${subject}, version ${version}`;

const cannotOpen = (context: SecretContext): HeadraceError =>
  new HeadraceError("vault.cannot-open", `expected a blob sealed for ${nameOf(context)}`, {
    retry: "never",
    detail: { ...context },
  });

/** The vault on the Encryption SDK's hierarchical keyring. `shards`: how many branch keys new blobs are spread over. */
export function secretVault(
  deployment: string,
  branchKeys: SingleFlightBranchKeys,
  shards = BRANCH_SHARDS,
): SecretVault {
  // The header says which branch key: blobs of the time when there were fewer stay readable.
  const keyring = new KmsHierarchicalKeyRingNode({
    branchKeyIdSupplier: { getBranchKeyId: (context: Readonly<Record<string, string>>) => context.branch ?? "" },
    keyStore: branchKeys,
    cacheLimitTtl: 1,
    cache: NO_CACHE,
  });
  return {
    async seal(context, secret) {
      assert(secret.length > 0, "a secret has octets");
      const { result } = await client.encrypt(keyring, secret, {
        suiteId: SUITE,
        encryptionContext: { ...boundTo(deployment, context), branch: branchKeyId(shardOf(context.subject, shards)) },
      });
      return new Uint8Array(result);
    },
    async open(context, blob) {
      const failures = branchKeys.failures;
      const opened = await client.decrypt(keyring, blob).catch(() => {
        // The SDK's message may hold anything that it was given: it is not carried on.
        throw branchKeys.failureSince(failures) ?? cannotOpen(context);
      });
      const { plaintext, messageHeader } = opened;
      const secret = Uint8Array.from(plaintext);
      plaintext.fill(0);
      if (messageHeader.suiteId === SUITE && sameContext(boundTo(deployment, context), messageHeader.encryptionContext))
        return secret;
      secret.fill(0);
      throw new HeadraceError(
        "vault.context-mismatch",
        `expected a blob sealed for ${nameOf(context)}; it was sealed for something else`,
        { retry: "never", detail: { ...context } },
      );
    },
  };
}

/** The vault and the branch keys of the function or bridge that runs, by its environment. */
export function vaultOfEnvironment(): { readonly vault: SecretVault; readonly branchKeys: SingleFlightBranchKeys } {
  const env = settings({ DEPLOYMENT: Setting, KEYSTORE_TABLE: Setting, KEYSTORE_NAME: Setting, KMS_KEY_ARN: Setting });
  const branchKeys = new SingleFlightBranchKeys({
    table: env.KEYSTORE_TABLE,
    name: env.KEYSTORE_NAME,
    kmsKeyArn: env.KMS_KEY_ARN,
    deployment: env.DEPLOYMENT,
    dynamo: new DynamoDBClient({}),
    kms: new KMSClient({}),
    clock: systemClock,
    random: systemRandom,
  });
  return { vault: secretVault(env.DEPLOYMENT, branchKeys), branchKeys };
}
