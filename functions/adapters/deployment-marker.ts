import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";

/** The product's version: what the API says of itself. */
export const VERSION = "0.1.0";

/** Rises whenever deployments have to be seeded again. */
export const SEED_VERSION = 3;

const KEY = { pk: "DEPLOYMENT", sk: "marker" };
const Stored = z.object({ seedVersion: z.int() });

/** `DEPLOYMENT` / `marker` in the Registry table: the seed version that bootstrap has gone through with. */
export const deploymentMarker = (db: DynamoDBDocumentClient, TableName: string) => ({
  /** Undefined: never seeded. */
  async read(): Promise<number | undefined> {
    const { Item } = await db.send(new GetCommand({ TableName, Key: KEY, ConsistentRead: true }));
    return Item === undefined ? undefined : Stored.parse(Item).seedVersion;
  },
  async write(seedVersion: number, at: number): Promise<void> {
    await db.send(new PutCommand({ TableName, Item: { ...KEY, seedVersion, at } }));
  },
});
