import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  QueryCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import {
  type Likeness,
  SINGLE_MAX,
  type StormName,
  StormPart,
  type Storms,
  stormIdOf,
} from "../../shared/events/storm.ts";
import { seedOf } from "../../shared/ports/random.ts";
import { heldCondition } from "./dynamo-conditions.ts";

/**
 * Storms in the Timeline table. `STORM-COUNT#<storm>` / `count` {total, notices}: like events of a minute that are told one
 * by one; `STORM#<subscription>#<storm>` / `<notice>`: parts; `STORMS#<0..7>` / `<subscription>#<storm>`: those with something
 * untold.
 */
const SHARDS = 8;
const COUNT_SECONDS = 86_400;
const KEPT_SECONDS = 14 * 86_400;

const countKey = (likeness: Likeness) => ({ pk: `STORM-COUNT#${stormIdOf(likeness)}`, sk: "count" });
type Named = Pick<StormName, "subscriptionId" | "stormId">;
const partsKey = ({ subscriptionId, stormId }: Named): string => `STORM#${subscriptionId}#${stormId}`;
const nameKey = ({ subscriptionId, stormId }: Named) => ({
  pk: `STORMS#${seedOf(stormId) % SHARDS}`,
  sk: `${subscriptionId}#${stormId}`,
});
const expiresAt = (minute: number, seconds: number): number => Math.floor(minute / 1000) + seconds;

const StoredName = z.object({ subscriptionId: z.string(), stormId: z.string(), minute: z.int(), v: z.int() });
const StoredCount = z.object({ notices: z.set(z.string()).default(new Set()) });
const StoredPart = z.object({ part: StormPart, told: z.boolean() });

export function dynamoStorms(db: DynamoDBDocumentClient, TableName: string): Storms {
  return {
    async admit(likeness, noticeId, count) {
      const Key = countKey(likeness);
      const counted =
        count <= SINGLE_MAX &&
        (await heldCondition(
          db.send(
            new UpdateCommand({
              TableName,
              Key,
              UpdateExpression: "SET expires = :expires ADD #total :count, #notices :notice",
              ConditionExpression: "attribute_not_exists(pk) OR (#total < :most AND NOT contains(#notices, :noticeId))",
              ExpressionAttributeNames: { "#total": "total", "#notices": "notices" },
              ExpressionAttributeValues: {
                ":count": count,
                ":notice": new Set([noticeId]),
                ":noticeId": noticeId,
                ":most": SINGLE_MAX,
                ":expires": expiresAt(likeness.minute, COUNT_SECONDS),
              },
            }),
          ),
        ));
      if (counted || count > SINGLE_MAX) return counted;
      const { Item } = await db.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
      return Item !== undefined && StoredCount.parse(Item).notices.has(noticeId);
    },
    async keep(part) {
      const { subscriptionId, minute, noticeId } = part;
      const name = { subscriptionId, stormId: stormIdOf(part) };
      const expires = expiresAt(minute, KEPT_SECONDS);
      await heldCondition(
        db.send(
          new PutCommand({
            TableName,
            Item: { pk: partsKey(name), sk: noticeId, part, told: false, expires },
            ConditionExpression: "attribute_not_exists(pk)",
          }),
        ),
      );
      // Behind the part: a pass that finds the name finds it too.
      await db.send(
        new UpdateCommand({
          TableName,
          Key: nameKey(name),
          UpdateExpression:
            "SET subscriptionId = :subscription, stormId = :storm, #minute = :minute, expires = :expires ADD v :one",
          ExpressionAttributeNames: { "#minute": "minute" },
          ExpressionAttributeValues: {
            ":subscription": subscriptionId,
            ":storm": name.stormId,
            ":minute": minute,
            ":expires": expires,
            ":one": 1,
          },
        }),
      );
    },
    async untold(before) {
      const found: StormName[] = [];
      for (let shard = 0; shard < SHARDS; shard++) {
        const pages = paginateQuery(
          { client: db },
          {
            TableName,
            KeyConditionExpression: "pk = :pk",
            ExpressionAttributeValues: { ":pk": `STORMS#${shard}` },
            ConsistentRead: true,
          },
        );
        for await (const page of pages)
          for (const item of page.Items ?? []) {
            const { v: version, ...name } = StoredName.parse(item);
            if (name.minute < before) found.push({ ...name, version });
          }
      }
      return found;
    },
    async parts(name, after, limit) {
      const found: (StormPart & { readonly told: boolean })[] = [];
      let start: Record<string, unknown> | undefined;
      do {
        const { Items = [], LastEvaluatedKey } = await db.send(
          new QueryCommand({
            TableName,
            KeyConditionExpression: "pk = :pk AND sk > :after",
            ExpressionAttributeValues: { ":pk": partsKey(name), ":after": after === "" ? " " : after },
            ConsistentRead: true,
            Limit: limit - found.length,
            ...(start === undefined ? {} : { ExclusiveStartKey: start }),
          }),
        );
        for (const item of Items) {
          const { part, told } = StoredPart.parse(item);
          found.push({ ...part, told });
        }
        start = LastEvaluatedKey;
      } while (start !== undefined && found.length < limit);
      return found;
    },
    async markTold(name, noticeIds) {
      for (const sk of noticeIds)
        await db.send(
          new UpdateCommand({
            TableName,
            Key: { pk: partsKey(name), sk },
            UpdateExpression: "SET told = :yes",
            ConditionExpression: "attribute_exists(pk)",
            ExpressionAttributeValues: { ":yes": true },
          }),
        );
    },
    async dropName(name) {
      await heldCondition(
        db.send(
          new DeleteCommand({
            TableName,
            Key: nameKey(name),
            ConditionExpression: "v = :version",
            ExpressionAttributeValues: { ":version": name.version },
          }),
        ),
      );
    },
  };
}
