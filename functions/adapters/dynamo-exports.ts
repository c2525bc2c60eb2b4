import { type DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { ExportedFile, ExportState, type ExportStore } from "../../shared/readings/exports.ts";
import { heldCondition } from "./dynamo-conditions.ts";
import { partitionItems } from "./partition-items.ts";

/**
 * Exports in the Readings table. `EXPORTS` / `<exportId>`; files: `EXPORT#<exportId>` / `<yyyy-mm-dd>#<file, 6 digits>`; what
 * went out last of a lake file: `DELIVERED#<yyyy-mm-dd>` / `<file, 6 digits>`.
 */
const PARTITION = "EXPORTS";
const stateKey = (exportId: string) => ({ pk: PARTITION, sk: exportId });
const dayText = (day: number): string => new Date(day).toISOString().slice(0, 10);
const digits = (file: number): string => String(file).padStart(6, "0");
const deliveredKey = (day: number, file: number) => ({ pk: `DELIVERED#${dayText(day)}`, sk: digits(file) });

const Stored = z.object({ x: ExportState });
const StoredFile = z.object({ x: ExportedFile });
const StoredDelivered = z.object({ source: z.string(), copy: z.string() });

export const dynamoExports = (db: DynamoDBDocumentClient, TableName: string): ExportStore => ({
  create: (state) =>
    heldCondition(
      db.send(
        new PutCommand({
          TableName,
          Item: { ...stateKey(state.exportId), x: state, v: state.version },
          ConditionExpression: "attribute_not_exists(pk)",
        }),
      ),
    ),
  async read(exportId) {
    const { Item } = await db.send(new GetCommand({ TableName, Key: stateKey(exportId), ConsistentRead: true }));
    return Item === undefined ? undefined : Stored.parse(Item).x;
  },
  write(was, change) {
    const next = { ...was, ...change, version: was.version + 1 };
    return heldCondition(
      db.send(
        new PutCommand({
          TableName,
          Item: { ...stateKey(was.exportId), x: next, v: next.version },
          ConditionExpression: "v = :was",
          ExpressionAttributeValues: { ":was": was.version },
        }),
      ),
    );
  },
  async list(limit) {
    // Ids begin with their time; those of daily exports are a range of their own.
    const newest = async (from: string, to: string) => {
      const { Items } = await db.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :to",
          ExpressionAttributeValues: { ":pk": PARTITION, ":from": from, ":to": to },
          ScanIndexForward: false,
          Limit: limit,
          ConsistentRead: true,
        }),
      );
      return (Items ?? []).map((item) => Stored.parse(item).x);
    };
    const found = [...(await newest("0", "a")), ...(await newest("daily-", "daily-~"))];
    return found.sort((left, right) => right.createdAt - left.createdAt).slice(0, limit);
  },
  async keepFile(exportId, file) {
    const Item = { pk: `EXPORT#${exportId}`, sk: `${dayText(file.day)}#${digits(file.file)}`, x: file };
    await db.send(new PutCommand({ TableName, Item }));
  },
  async files(exportId) {
    const found: ExportedFile[] = [];
    for await (const item of partitionItems(db, TableName, `EXPORT#${exportId}`)) found.push(StoredFile.parse(item).x);
    return found;
  },
  async delivered(day, file) {
    const { Item } = await db.send(new GetCommand({ TableName, Key: deliveredKey(day, file), ConsistentRead: true }));
    return Item === undefined ? undefined : StoredDelivered.parse(Item);
  },
  async deliver(day, file, delivered) {
    await db.send(new PutCommand({ TableName, Item: { ...deliveredKey(day, file), ...delivered } }));
  },
});
