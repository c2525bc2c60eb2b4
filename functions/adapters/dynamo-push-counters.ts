import { type DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import {
  decodePushWindow,
  encodePushWindow,
  NOTHING_TAKEN,
  type PushCounters,
  type PushKey,
} from "../../shared/security/push-window.ts";
import { batchGet } from "./batch-get.ts";
import { heldCondition } from "./dynamo-conditions.ts";

/** In the Readings table: `P#<meterId>` / `<key>#<version>`: octets `b`, version `v`. Below 1 kB: one write unit a push. */
const keyOf = ({ meterId, key, version }: PushKey) => ({ pk: `P#${meterId}`, sk: `${key}#${version}` });
const textOf = ({ pk, sk }: { readonly pk: string; readonly sk: string }): string => `${pk}/${sk}`;

const Stored = z.object({ pk: z.string(), sk: z.string(), b: z.instanceof(Uint8Array), v: z.int().min(1) });

/** Which pushes were taken, on DynamoDB. */
export const dynamoPushCounters = (db: DynamoDBDocumentClient, TableName: string): PushCounters => ({
  async read(keys) {
    const items = (await batchGet(db, TableName, keys.map(keyOf))).map((item) => Stored.parse(item));
    const found = new Map(items.map((item) => [textOf(item), item]));
    return keys.map((key) => {
      const item = found.get(textOf(keyOf(key)));
      return item === undefined
        ? { window: NOTHING_TAKEN, version: 0 }
        : { window: decodePushWindow(item.b), version: item.v };
    });
  },
  async write(key, window, was) {
    const written = await heldCondition(
      db.send(
        new PutCommand({
          TableName,
          Item: { ...keyOf(key), b: encodePushWindow(window), v: was + 1 },
          ...(was === 0
            ? { ConditionExpression: "attribute_not_exists(pk)" }
            : { ConditionExpression: "v = :was", ExpressionAttributeValues: { ":was": was } }),
        }),
      ),
    );
    return written ? "written" : "conflict";
  },
});
