import type { Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  type DynamoDBClientConfig,
} from "@aws-sdk/client-dynamodb";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { documentClient } from "../../functions/adapters/document-client.ts";

const dynalite = createRequire(import.meta.url)("dynalite") as (options: { createTableMs: number }) => Server;

/** Tables as the state stack declares them: `pk`, `sk`, and the ledger's sparse index. */
export const TABLES: readonly CreateTableCommandInput[] = [
  {
    TableName: "Ledger",
    AttributeDefinitions: ["pk", "sk", "duePk"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
    KeySchema: [
      { AttributeName: "pk", KeyType: "HASH" },
      { AttributeName: "sk", KeyType: "RANGE" },
    ],
    GlobalSecondaryIndexes: [
      {
        IndexName: "due",
        KeySchema: [{ AttributeName: "duePk", KeyType: "HASH" }],
        Projection: { ProjectionType: "KEYS_ONLY" },
      },
    ],
    BillingMode: "PAY_PER_REQUEST",
  },
  ...["Readings", "Registry", "Timeline", "Authority", "Audit", "Outages", "Accounts"].map(
    (TableName): CreateTableCommandInput => ({
      TableName,
      AttributeDefinitions: ["pk", "sk"].map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
      BillingMode: "PAY_PER_REQUEST",
    }),
  ),
];

export interface EmbeddedDynamo {
  readonly db: DynamoDBDocumentClient;
  readonly config: DynamoDBClientConfig;
  close(): Promise<void>;
}

/** A DynamoDB in this process, in memory, with the product's tables. */
export async function embeddedDynamo(tables = TABLES): Promise<EmbeddedDynamo> {
  const server = dynalite({ createTableMs: 0 });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const config: DynamoDBClientConfig = {
    endpoint: `http://127.0.0.1:${port}`,
    region: "eu-central-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  };
  const db = documentClient(config);
  for (const table of tables) {
    await db.send(new CreateTableCommand(table));
    for (;;) {
      const { Table } = await db.send(new DescribeTableCommand({ TableName: table.TableName }));
      if (Table?.TableStatus === "ACTIVE") break;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
  return {
    db,
    config,
    async close() {
      db.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
