import { DeleteCommand, type DynamoDBDocumentClient, PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { eachOf } from "../../shared/jobs/concurrency.ts";
import { HINT_EVERY_MS, type Hints } from "../../shared/jobs/hints.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import { heldCondition } from "./dynamo-conditions.ts";

/**
 * Hints in the Ledger table: `HINTED#<meterId>` / `hint` {at} says when a meter was last hinted at and stays; `HINTS` /
 * `<meterId>` waits to be read and goes then. Keys and access patterns are in this file only.
 */
const WAITING = "HINTS";
const CONCURRENT = 10;
const Waiting = z.object({ sk: MeterId });

export const dynamoHints = (db: DynamoDBDocumentClient, TableName: string): Hints => ({
  async note(meterId, now) {
    const isNew = await heldCondition(
      db.send(
        new PutCommand({
          TableName,
          Item: { pk: `HINTED#${meterId}`, sk: "hint", at: now },
          ConditionExpression: "attribute_not_exists(pk) OR #at <= :before",
          ExpressionAttributeNames: { "#at": "at" },
          ExpressionAttributeValues: { ":before": now - HINT_EVERY_MS },
        }),
      ),
    );
    if (isNew) await db.send(new PutCommand({ TableName, Item: { pk: WAITING, sk: meterId, at: now } }));
    return isNew;
  },
  async waiting(limit) {
    const { Items = [] } = await db.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": WAITING },
        ConsistentRead: true,
        Limit: limit,
      }),
    );
    return Items.map((item) => Waiting.parse(item).sk);
  },
  async taken(meterIds) {
    await eachOf([...meterIds], CONCURRENT, async (meterId) => {
      await db.send(new DeleteCommand({ TableName, Key: { pk: WAITING, sk: meterId } }));
    });
  },
});
