import { type DynamoDBDocumentClient, GetCommand, QueryCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import type { Place } from "../../shared/metering/meter.ts";
import { MeterTariff, type MeterTariffs } from "../../shared/pricing/meter-tariffs.ts";
import { heldCondition } from "./dynamo-conditions.ts";

/** In the Readings table: `TARIFF#<segment mod 64>` / `<segment>#<slot>`, written only when a meter showed its tariff. */
const PARTITIONS = 64;
const keyOf = ({ segment, slot }: Place) => ({
  pk: `TARIFF#${segment % PARTITIONS}`,
  sk: `${String(segment).padStart(6, "0")}#${String(slot).padStart(4, "0")}`,
});
const factOf = ({ pk: _, sk: __, ...item }: Record<string, unknown>): MeterTariff => MeterTariff.parse(item);

/** `<partition>:<sort key>`; undefined: of another list. */
function placeOf(cursor: string): { readonly partition: number; readonly after?: string } | undefined {
  const [partition = "", after] = cursor.split(":");
  if (!/^\d{1,2}$/.test(partition) || Number(partition) >= PARTITIONS) return undefined;
  return { partition: Number(partition), ...(after ? { after } : {}) };
}

/** What meters hold of tariffs, on DynamoDB. */
export const dynamoMeterTariffs = (db: DynamoDBDocumentClient, TableName: string): MeterTariffs => ({
  async note({ meterId, segment, slot, shown, seenAt, ordered }) {
    const update = new UpdateCommand({
      TableName,
      Key: keyOf({ segment, slot }),
      UpdateExpression: `SET meterId = :meterId, #segment = :segment, slot = :slot, shown = :shown, seenAt = :seenAt${
        ordered === undefined ? "" : ", ordered = :ordered"
      }`,
      ExpressionAttributeNames: { "#segment": "segment" },
      ConditionExpression: "attribute_not_exists(pk) OR seenAt <= :seenAt",
      ExpressionAttributeValues: {
        ":meterId": meterId,
        ":segment": segment,
        ":slot": slot,
        ":shown": shown,
        ":seenAt": seenAt,
        ...(ordered === undefined ? {} : { ":ordered": ordered }),
      },
    });
    await heldCondition(db.send(update)); // a newer fact is there
  },
  async of(place) {
    const { Item } = await db.send(new GetCommand({ TableName, Key: keyOf(place), ConsistentRead: true }));
    return Item === undefined ? undefined : factOf(Item);
  },
  async page(limit, cursor) {
    const facts: MeterTariff[] = [];
    let { partition, after } = { after: undefined, ...(placeOf(cursor ?? "0") ?? { partition: 0 }) } as {
      partition: number;
      after: string | undefined;
    };
    while (partition < PARTITIONS) {
      const pk = `TARIFF#${partition}`;
      const { Items = [], LastEvaluatedKey } = await db.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: "pk = :pk",
          ExpressionAttributeValues: { ":pk": pk },
          Limit: limit - facts.length,
          ...(after === undefined ? {} : { ExclusiveStartKey: { pk, sk: after } }),
        }),
      );
      facts.push(...Items.map(factOf));
      after = LastEvaluatedKey?.sk as string | undefined;
      if (after === undefined) partition += 1;
      if (facts.length >= limit && partition < PARTITIONS)
        return { facts, cursor: after === undefined ? `${partition}` : `${partition}:${after}` };
    }
    return { facts };
  },
});
