import { type DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import {
  type Authority as AuthorityItem,
  CAUTIOUS,
  MORATORIA_MAX,
  Moratorium,
  type Rules,
  STOPS_MAX,
  Stop,
  SwitchPolicy,
} from "../../shared/switching/authority.ts";
import { DEFAULT_GUARDS, GuardSettings } from "../../shared/switching/guard.ts";
import { heldCondition } from "./dynamo-conditions.ts";

/**
 * The Authority table. `AUTHORITY` / `epoch`: the active Region, the epoch of its counter marks, what is stopped and what
 * is asked of switches: one item, so that the last look before an order is one read. Epochs count from 1; each failover
 * or restore begins the next one. `GUARDS` / `settings`: the caps.
 */
const KEY = { pk: "AUTHORITY", sk: "epoch" };
const GUARDS = { pk: "GUARDS", sk: "settings" };
const Stored = z.object({
  epoch: z.int().min(1),
  region: z.string(),
  stops: z.array(Stop).max(STOPS_MAX).default([]),
  moratoria: z.array(Moratorium).max(MORATORIA_MAX).default([]),
  policy: SwitchPolicy.default(CAUTIOUS),
  /** Of stops, moratoria and policy together. */
  rules: z.int().default(0),
});
export type ActiveRegion = AuthorityItem & { readonly rules: number };

export interface Authority {
  /** Strongly consistent; undefined: the deployment has not been seeded yet. */
  active(): Promise<ActiveRegion | undefined>;
  /** Epoch 1, if there is none. */
  seed(region: string): Promise<void>;
  /** Writes stops, moratoria and policy under the version read with them. */
  writeRules(was: number, rules: Rules): Promise<boolean>;
  /** As set, or the default. */
  guards(): Promise<GuardSettings>;
  setGuards(settings: GuardSettings): Promise<void>;
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
    writeRules: (was, { stops, moratoria, policy }) =>
      heldCondition(
        db.send(
          new UpdateCommand({
            TableName,
            Key: KEY,
            UpdateExpression: "SET #stops = :stops, #moratoria = :moratoria, #policy = :policy, #rules = :next",
            ConditionExpression: `attribute_exists(pk) AND ${was === 0 ? "attribute_not_exists(#rules)" : "#rules = :was"}`,
            ExpressionAttributeNames: {
              "#stops": "stops",
              "#moratoria": "moratoria",
              "#policy": "policy",
              "#rules": "rules",
            },
            ExpressionAttributeValues: {
              ":stops": stops,
              ":moratoria": moratoria,
              ":policy": policy,
              ":next": was + 1,
              ...(was === 0 ? {} : { ":was": was }),
            },
          }),
        ),
      ),
    async guards() {
      const { Item } = await db.send(new GetCommand({ TableName, Key: GUARDS, ConsistentRead: true }));
      return Item === undefined ? DEFAULT_GUARDS : GuardSettings.parse(Item.settings);
    },
    async setGuards(settings) {
      await db.send(new PutCommand({ TableName, Item: { ...GUARDS, settings } }));
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
