import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { eachOf, piecesOf } from "../../shared/jobs/concurrency.ts";
import type { FleetColumnStore, FleetColumns } from "../../shared/readings/fleet-columns.ts";
import { decodeFleetColumns, encodeFleetColumns } from "../../shared/readings/fleet-columns-codec.ts";
import { batchGet } from "./batch-get.ts";
import { heldCondition } from "./dynamo-conditions.ts";

/** In the Readings table: `C#<segment>` / `columns`: the fast facts of a segment's meters, octets `b`, version `v`. */
const keyOf = (segment: number) => ({ pk: `C#${segment}`, sk: "columns" });

const Stored = z.object({ pk: z.string(), b: z.instanceof(Uint8Array), v: z.int().min(1) });
const GET_BATCH = 100;
const CONCURRENT = 8;

/** Fleet columns on DynamoDB. */
export const dynamoFleetColumns = (db: DynamoDBDocumentClient, TableName: string): FleetColumnStore => ({
  async read(segment) {
    const { Item } = await db.send(new GetCommand({ TableName, Key: keyOf(segment), ConsistentRead: true }));
    if (Item === undefined) return undefined;
    const { b, v } = Stored.parse(Item);
    return { columns: decodeFleetColumns(b), version: v };
  },
  async write(segment, columns, was) {
    const written = await heldCondition(
      db.send(
        new PutCommand({
          TableName,
          Item: { ...keyOf(segment), b: encodeFleetColumns(columns), v: was + 1 },
          ...(was === 0
            ? { ConditionExpression: "attribute_not_exists(pk)" }
            : { ConditionExpression: "v = :was", ExpressionAttributeValues: { ":was": was } }),
        }),
      ),
    );
    return written ? "written" : "conflict";
  },
  async readMany(segments) {
    const found = new Map<number, FleetColumns>();
    await eachOf(piecesOf(segments, GET_BATCH), CONCURRENT, async (piece) => {
      for (const item of await batchGet(db, TableName, piece.map(keyOf))) {
        const { pk, b } = Stored.parse(item);
        found.set(Number(pk.slice(2)), decodeFleetColumns(b));
      }
    });
    return found;
  },
});
