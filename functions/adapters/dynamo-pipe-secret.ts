import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import type { SecretVault } from "../../shared/security/key-vault.ts";
import { heldCondition } from "./dynamo-conditions.ts";

/**
 * `DEPLOYMENT` / `pipe-secret` in the Registry table: what tasks of one deployment know each other by, sealed. It is made
 * once and never changes; 32 octets.
 */
const KEY = { pk: "DEPLOYMENT", sk: "pipe-secret" };
const Stored = z.object({ blob: z.instanceof(Uint8Array) });
const CONTEXT = { subject: "pipe-secret", purpose: "pipe-secret", version: 1 } as const;
export const PIPE_SECRET_OCTETS = 32;

export interface PipeSecret {
  /** If there is none. Overwrites the octets that it was given. */
  seed(secret: Uint8Array): Promise<boolean>;
  /** Undefined: the deployment has not been seeded yet. */
  open(): Promise<Uint8Array | undefined>;
}

export const dynamoPipeSecret = (db: DynamoDBDocumentClient, TableName: string, vault: SecretVault): PipeSecret => ({
  async seed(secret) {
    const { Item } = await db.send(new GetCommand({ TableName, Key: KEY, ConsistentRead: true }));
    if (Item !== undefined) return false;
    const blob = await vault.seal(CONTEXT, secret);
    secret.fill(0);
    return heldCondition(
      db.send(new PutCommand({ TableName, Item: { ...KEY, blob }, ConditionExpression: "attribute_not_exists(pk)" })),
    );
  },
  async open() {
    const { Item } = await db.send(new GetCommand({ TableName, Key: KEY, ConsistentRead: true }));
    return Item === undefined ? undefined : vault.open(CONTEXT, Stored.parse(Item).blob);
  },
});
