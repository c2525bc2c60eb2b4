import { type DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { heldCondition } from "./dynamo-conditions.ts";

/**
 * The Authority table. `AUTHORITY` / `epoch`: the active Region and the epoch of its counter marks. Epochs count from 1;
 * each failover or restore begins the next one.
 */
const KEY = { pk: "AUTHORITY", sk: "epoch" };
const Stored = z.object({ epoch: z.int().min(1), region: z.string() });
export type ActiveRegion = z.infer<typeof Stored>;

export interface Authority {
  /** Strongly consistent; undefined: the deployment has not been seeded yet. */
  active(): Promise<ActiveRegion | undefined>;
  /** Epoch 1, if there is none. */
  seed(region: string): Promise<void>;
  /** Begins the epoch after `was`, in a Region. False: it is not `was` any more. */
  beginEpoch(was: number, region: string): Promise<boolean>;
}

export function dynamoAuthority(db: DynamoDBDocumentClient, TableName: string): Authority {
  return {
    async active() {
      const { Item } = await db.send(new GetCommand({ TableName, Key: KEY, ConsistentRead: true }));
      return Item === undefined ? undefined : Stored.parse(Item);
    },
    async seed(region) {
      await heldCondition(
        db.send(
          new PutCommand({
            TableName,
            Item: { ...KEY, epoch: 1, region },
            ConditionExpression: "attribute_not_exists(pk)",
          }),
        ),
      );
    },
    beginEpoch: (was, region) =>
      heldCondition(
        db.send(
          new UpdateCommand({
            TableName,
            Key: KEY,
            UpdateExpression: "SET #epoch = :next, #region = :region",
            ConditionExpression: "#epoch = :was",
            ExpressionAttributeNames: { "#epoch": "epoch", "#region": "region" },
            ExpressionAttributeValues: { ":next": was + 1, ":was": was, ":region": region },
          }),
        ),
      ),
  };
}
