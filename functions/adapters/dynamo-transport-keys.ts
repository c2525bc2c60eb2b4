import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { HeadraceError } from "../../shared/ports/errors.ts";
import type { SecretVault } from "../../shared/security/key-vault.ts";
import { heldCondition } from "./dynamo-conditions.ts";

/** Transport keys in the Registry table: `K#<keyId>` / `key`, sealed. */
const keyOf = (keyId: string) => ({ pk: `K#${keyId}`, sk: "key" });
const Stored = z.object({ blob: z.instanceof(Uint8Array), version: z.int().min(1) });
const TRIES = 5;
const contextOf = (keyId: string, version: number) => ({ subject: keyId, purpose: "transport-key", version }) as const;

export interface TransportKeys {
  /** Answers the version under which the key is kept. */
  put(keyId: string, key: Uint8Array): Promise<number>;
  /** The newest; undefined: there is none of that name. The caller overwrites it when it is done. */
  open(keyId: string): Promise<Uint8Array | undefined>;
}

export function dynamoTransportKeys(db: DynamoDBDocumentClient, TableName: string, vault: SecretVault): TransportKeys {
  const read = async (keyId: string) => {
    const { Item } = await db.send(new GetCommand({ TableName, Key: keyOf(keyId), ConsistentRead: true }));
    return Item === undefined ? undefined : Stored.parse(Item);
  };
  return {
    async put(keyId, key) {
      for (let tries = 0; tries < TRIES; tries++) {
        const was = await read(keyId);
        const version = (was?.version ?? 0) + 1;
        const blob = await vault.seal(contextOf(keyId, version), key);
        const written = await heldCondition(
          db.send(
            new PutCommand({
              TableName,
              Item: { ...keyOf(keyId), blob, version },
              ConditionExpression: was === undefined ? "attribute_not_exists(pk)" : "#version = :was",
              ...(was === undefined
                ? {}
                : {
                    ExpressionAttributeNames: { "#version": "version" },
                    ExpressionAttributeValues: { ":was": was.version },
                  }),
            }),
          ),
        );
        if (written) return version;
      }
      throw new HeadraceError("registry.contended", `expected transport key ${keyId} to be left alone`, {
        retry: "later",
      });
    },
    async open(keyId) {
      const stored = await read(keyId);
      return stored && vault.open(contextOf(keyId, stored.version), stored.blob);
    },
  };
}
