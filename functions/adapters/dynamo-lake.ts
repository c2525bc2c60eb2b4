import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { fileOf, type LakeFile, type LakePointers } from "../../shared/readings/lake-files.ts";
import { DIRTY, type LakeMarks } from "../../shared/readings/lake-marks.ts";
import { heldCondition } from "./dynamo-conditions.ts";
import { partitionItems } from "./partition-items.ts";

/**
 * The lake's items in the Readings table. A mark: `LAKE-MARKS#<file mod 16>` / `<yyyy-mm-dd>#<segment, 8 digits>`, state `s`; a
 * pointer: `LAKE#<yyyy-mm-dd>` / `<file, 6 digits>`, version `v`. Keys and access patterns of both are in this file only.
 */
const SHARDS = 16;
const dayText = (day: number): string => new Date(day).toISOString().slice(0, 10);
const dayOfText = (text: string): number => Date.parse(`${text}T00:00:00Z`);
const shardKey = (shard: number): string => `LAKE-MARKS#${shard}`;
const markKey = (segment: number, day: number) => ({
  pk: shardKey(fileOf(segment) % SHARDS),
  sk: `${dayText(day)}#${String(segment).padStart(8, "0")}`,
});
const pointerKey = (day: number, file: number) => ({
  pk: `LAKE#${dayText(day)}`,
  sk: String(file).padStart(6, "0"),
});

const StoredMark = z.object({ sk: z.string(), s: z.string() });
const StoredPointer = z.object({
  pk: z.string(),
  sk: z.string(),
  current: z
    .strictObject({ object: z.string(), asOf: z.int(), rows: z.int(), octets: z.int(), sha256: z.string() })
    .optional(),
  dropped: z.array(z.strictObject({ object: z.string(), at: z.int() })),
  v: z.int().min(1),
});

/** Marks of segment-days on DynamoDB. */
export function dynamoLakeMarks(db: DynamoDBDocumentClient, TableName: string): LakeMarks {
  const markOf = (item: unknown) => {
    const { sk, s } = StoredMark.parse(item);
    return { day: dayOfText(sk.slice(0, 10)), segment: Number(sk.slice(11)), state: s };
  };
  return {
    async read(segment, day) {
      const { Item } = await db.send(new GetCommand({ TableName, Key: markKey(segment, day), ConsistentRead: true }));
      return Item === undefined ? undefined : markOf(Item);
    },
    async mark(segment, day) {
      await db.send(new PutCommand({ TableName, Item: { ...markKey(segment, day), s: DIRTY } }));
    },
    async *list() {
      for (let shard = 0; shard < SHARDS; shard++)
        for await (const item of partitionItems(db, TableName, shardKey(shard))) yield markOf(item);
    },
    take: ({ segment, day, state }, token) =>
      heldCondition(
        db.send(
          new UpdateCommand({
            TableName,
            Key: markKey(segment, day),
            UpdateExpression: "SET s = :token",
            ConditionExpression: "s = :was",
            ExpressionAttributeValues: { ":was": state, ":token": token },
          }),
        ),
      ),
    async clear({ segment, day }, token) {
      await heldCondition(
        db.send(
          new DeleteCommand({
            TableName,
            Key: markKey(segment, day),
            ConditionExpression: "s = :token",
            ExpressionAttributeValues: { ":token": token },
          }),
        ),
      );
    },
  };
}

/** Pointers to the lake's files on DynamoDB. */
export function dynamoLakePointers(db: DynamoDBDocumentClient, TableName: string): LakePointers {
  const fileOfItem = (item: unknown): LakeFile => {
    const { pk, sk, v, ...rest } = StoredPointer.parse(item);
    return { day: dayOfText(pk.slice("LAKE#".length)), file: Number(sk), ...rest, version: v };
  };
  return {
    async read(day, file) {
      const { Item } = await db.send(new GetCommand({ TableName, Key: pointerKey(day, file), ConsistentRead: true }));
      return Item === undefined ? undefined : fileOfItem(Item);
    },
    async ofDay(day) {
      const found: LakeFile[] = [];
      for await (const item of partitionItems(db, TableName, pointerKey(day, 0).pk)) found.push(fileOfItem(item));
      return found;
    },
    async write({ day, file, current, dropped }, was) {
      const written = await heldCondition(
        db.send(
          new PutCommand({
            TableName,
            Item: { ...pointerKey(day, file), current, dropped, v: was + 1 },
            ...(was === 0
              ? { ConditionExpression: "attribute_not_exists(pk)" }
              : { ConditionExpression: "v = :was", ExpressionAttributeValues: { ":was": was } }),
          }),
        ),
      );
      return written ? "written" : "conflict";
    },
  };
}
