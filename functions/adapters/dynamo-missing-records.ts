import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import {
  DayCounts,
  MissingEntry,
  type MissingRecord,
  type MissingRecords,
} from "../../shared/readings/missing-records.ts";
import { heldCondition } from "./dynamo-conditions.ts";

/** In the Readings table: `G#<segment>` / `<yyyy-mm-dd>`: what is missing of a segment's UTC day, and what was counted. */
const keyOf = (segment: number, day: number) => ({ pk: `G#${segment}`, sk: new Date(day).toISOString().slice(0, 10) });

const Stored = z.object({
  entries: z.array(MissingEntry),
  counted: z
    .strictObject({ at: z.int(), counts: DayCounts, toRead: z.array(z.int()), whole: z.array(z.int()).optional() })
    .optional(),
  v: z.int().min(1),
});

/** Missing records on DynamoDB. */
export const dynamoMissingRecords = (db: DynamoDBDocumentClient, TableName: string): MissingRecords => ({
  async read(segment, day) {
    const { Item } = await db.send(new GetCommand({ TableName, Key: keyOf(segment, day), ConsistentRead: true }));
    if (Item === undefined) return undefined;
    const { v, counted, entries } = Stored.parse(Item);
    return { segment, day, entries, version: v, ...(counted === undefined ? {} : { counted }) } satisfies MissingRecord;
  },
  async write({ segment, day, entries, counted }, was) {
    const written = await heldCondition(
      db.send(
        new PutCommand({
          TableName,
          Item: { ...keyOf(segment, day), entries, v: was + 1, ...(counted === undefined ? {} : { counted }) },
          ...(was === 0
            ? { ConditionExpression: "attribute_not_exists(pk)" }
            : { ConditionExpression: "v = :was", ExpressionAttributeValues: { ":was": was } }),
        }),
      ),
    );
    return written ? "written" : "conflict";
  },
});
