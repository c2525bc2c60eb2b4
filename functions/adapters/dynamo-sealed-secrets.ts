import { DeleteCommand, type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import type { SecretContext, SecretVault } from "../../shared/security/key-vault.ts";

/**
 * Secrets of what has a name, sealed, in the Ledger table: of the headend's clients at VTNs of others `VTN-SECRETS`, of
 * subscriptions `WEBHOOK-SECRETS`; each `<name>#<version>`.
 */
const PARTITIONS = {
  "client-secret": "VTN-SECRETS",
  "webhook-secret": "WEBHOOK-SECRETS",
} as const satisfies Partial<Record<SecretContext["purpose"], string>>;
const Stored = z.object({ blob: z.instanceof(Uint8Array) });

export interface SealedSecrets {
  /** Before what names the version is written. The secret is overwritten. */
  put(name: string, version: number, secret: Uint8Array): Promise<void>;
  /** The caller overwrites what it got as soon as it is used. */
  open(name: string, version: number): Promise<Uint8Array | undefined>;
  remove(name: string, version: number): Promise<void>;
}

export function dynamoSealedSecrets(
  db: DynamoDBDocumentClient,
  TableName: string,
  vault: SecretVault,
  purpose: keyof typeof PARTITIONS,
): SealedSecrets {
  const keyOf = (name: string, version: number) => ({ pk: PARTITIONS[purpose], sk: `${name}#${version}` });
  const contextOf = (name: string, version: number): SecretContext => ({ subject: name, purpose, version });
  return {
    async put(name, version, secret) {
      const blob = await vault.seal(contextOf(name, version), secret);
      secret.fill(0);
      await db.send(new PutCommand({ TableName, Item: { ...keyOf(name, version), blob } }));
    },
    async open(name, version) {
      const Key = keyOf(name, version);
      const { Item } = await db.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
      return Item === undefined ? undefined : vault.open(contextOf(name, version), Stored.parse(Item).blob);
    },
    async remove(name, version) {
      await db.send(new DeleteCommand({ TableName, Key: keyOf(name, version) }));
    },
  };
}
