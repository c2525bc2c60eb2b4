import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import type { VtnConnection } from "../../shared/demand/openadr/ven-client.ts";
import type { SecretVault } from "../../shared/security/key-vault.ts";

/** Secrets of the headend's clients at VTNs of others, sealed, in the Ledger table: `VTN-SECRETS` / `<name>#<version>`. */
const keyOf = (name: string, version: number) => ({ pk: "VTN-SECRETS", sk: `${name}#${version}` });
const contextOf = (name: string, version: number) => ({ subject: name, purpose: "client-secret", version }) as const;
const Stored = z.object({ blob: z.instanceof(Uint8Array) });

export interface VtnSecrets {
  /** Before the connection that names the version is written. */
  put(name: string, version: number, secret: string): Promise<void>;
  open(connection: Pick<VtnConnection, "name" | "secretVersion">): Promise<string | undefined>;
}

export const dynamoVtnSecrets = (db: DynamoDBDocumentClient, TableName: string, vault: SecretVault): VtnSecrets => ({
  async put(name, version, secret) {
    const octets = new TextEncoder().encode(secret);
    const blob = await vault.seal(contextOf(name, version), octets);
    octets.fill(0);
    await db.send(new PutCommand({ TableName, Item: { ...keyOf(name, version), blob } }));
  },
  async open({ name, secretVersion }) {
    const { Item } = await db.send(
      new GetCommand({ TableName, Key: keyOf(name, secretVersion), ConsistentRead: true }),
    );
    if (Item === undefined) return undefined;
    return new TextDecoder().decode(await vault.open(contextOf(name, secretVersion), Stored.parse(Item).blob));
  },
});
