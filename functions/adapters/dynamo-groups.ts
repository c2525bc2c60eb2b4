import { type DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import type { Group, Groups } from "../../shared/registry/change-group.ts";
import { heldCondition } from "./dynamo-conditions.ts";
import { partitionItems } from "./partition-items.ts";

/**
 * The names of groups in the Registry table, and their last count: `GROUPS` / `<name>`. Their members are sets
 * (`dynamo-segments.ts`).
 */
const PARTITION = "GROUPS";
const Stored = z.object({
  sk: z.string(),
  description: z.string().optional(),
  changes: z.int().default(0),
  counted: z.strictObject({ meters: z.int(), at: z.int(), changes: z.int() }).optional(),
});

const fromStored = (item: unknown): Group => {
  const { sk, description, counted, changes } = Stored.parse(item);
  return {
    name: sk,
    changes,
    ...(description === undefined ? {} : { description }),
    ...(counted === undefined ? {} : { counted }),
  };
};

export const dynamoGroups = (db: DynamoDBDocumentClient, TableName: string): Groups => ({
  create: (name) =>
    heldCondition(
      db.send(
        new PutCommand({
          TableName,
          Item: { pk: PARTITION, sk: name },
          ConditionExpression: "attribute_not_exists(pk)",
        }),
      ),
    ),
  async describe(name, description) {
    await db.send(
      new UpdateCommand({
        TableName,
        Key: { pk: PARTITION, sk: name },
        UpdateExpression: "SET #description = :description",
        ExpressionAttributeNames: { "#description": "description" },
        ExpressionAttributeValues: { ":description": description },
      }),
    );
  },
  async noteChange(name) {
    await db.send(
      new UpdateCommand({
        TableName,
        Key: { pk: PARTITION, sk: name },
        UpdateExpression: "ADD #changes :one",
        ExpressionAttributeNames: { "#changes": "changes" },
        ExpressionAttributeValues: { ":one": 1 },
      }),
    );
  },
  async keepCount(name, counted) {
    await db.send(
      new UpdateCommand({
        TableName,
        Key: { pk: PARTITION, sk: name },
        UpdateExpression: "SET #counted = :counted",
        ExpressionAttributeNames: { "#counted": "counted" },
        ExpressionAttributeValues: { ":counted": counted },
      }),
    );
  },
  async read(name) {
    const Key = { pk: PARTITION, sk: name };
    const { Item } = await db.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
    return Item === undefined ? undefined : fromStored(Item);
  },
  async list() {
    const found: Group[] = [];
    for await (const item of partitionItems(db, TableName, PARTITION)) found.push(fromStored(item));
    return found;
  },
});
