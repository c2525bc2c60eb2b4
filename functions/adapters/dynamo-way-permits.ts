import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import type { WayIn, WayPermits } from "../../shared/bridge/way-permits.ts";
import { Lane } from "../../shared/jobs/lane.ts";
import { heldCondition } from "./dynamo-conditions.ts";

/** Ways in, in the Access table: `WAY#<name>` / `permits`. Key and access pattern are in this file only. */
const keyOf = (name: string) => ({ pk: `WAY#${name}`, sk: "permits" });

const StoredWay = z.object({
  limit: z.int().min(0).optional(),
  version: z.int().min(1),
  leases: z
    .record(z.string(), z.strictObject({ lane: Lane, permits: z.int(), wants: z.int(), until: z.int() }))
    .default({}),
});

export const dynamoWayPermits = (db: DynamoDBDocumentClient, TableName: string): WayPermits => ({
  async read(name) {
    const { Item } = await db.send(new GetCommand({ TableName, Key: keyOf(name), ConsistentRead: true }));
    if (Item === undefined) return { version: 0, leases: {} };
    const { limit, ...stored } = StoredWay.parse(Item);
    return { ...stored, ...(limit === undefined ? {} : { limit }) } satisfies WayIn;
  },
  async writeLeases(name, version, leases) {
    const written = await heldCondition(
      db.send(
        new UpdateCommand({
          TableName,
          Key: keyOf(name),
          UpdateExpression: "SET #leases = :leases, #version = :next",
          ConditionExpression: version === 0 ? "attribute_not_exists(pk)" : "#version = :was",
          ExpressionAttributeNames: { "#leases": "leases", "#version": "version" },
          ExpressionAttributeValues: {
            ":leases": leases,
            ":next": version + 1,
            ...(version === 0 ? {} : { ":was": version }),
          },
        }),
      ),
    );
    return written ? "written" : "conflict";
  },
  async setLimit(name, limit) {
    await db.send(
      new UpdateCommand({
        TableName,
        Key: keyOf(name),
        UpdateExpression: `${limit === undefined ? "REMOVE #limit" : "SET #limit = :limit"} ADD #version :one`,
        ExpressionAttributeNames: { "#limit": "limit", "#version": "version" },
        ExpressionAttributeValues: { ":one": 1, ...(limit === undefined ? {} : { ":limit": limit }) },
      }),
    );
  },
});
