import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { VtnConnection } from "../../shared/demand/openadr/ven-client.ts";
import type { SecretVault } from "../../shared/security/key-vault.ts";
import { dynamoSealedSecrets } from "./dynamo-sealed-secrets.ts";

export interface VtnSecrets {
  /** Before the connection that names the version is written. */
  put(name: string, version: number, secret: string): Promise<void>;
  open(connection: Pick<VtnConnection, "name" | "secretVersion">): Promise<string | undefined>;
}

/** Secrets of the headend's clients at VTNs of others. */
export function dynamoVtnSecrets(db: DynamoDBDocumentClient, TableName: string, vault: SecretVault): VtnSecrets {
  const secrets = dynamoSealedSecrets(db, TableName, vault, "client-secret");
  return {
    put: (name, version, secret) => secrets.put(name, version, new TextEncoder().encode(secret)),
    async open({ name, secretVersion }) {
      const octets = await secrets.open(name, secretVersion);
      return octets && new TextDecoder().decode(octets);
    },
  };
}
