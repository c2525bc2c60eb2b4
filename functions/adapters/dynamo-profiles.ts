import { type DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { DeviceProfile } from "../../shared/metering/profile.ts";
import type { Profiles } from "../../shared/registry/registry.ts";
import { batchGet, type ItemKey } from "./batch-get.ts";
import { heldCondition } from "./dynamo-conditions.ts";

/**
 * Device profiles in the Registry table. `P#<name>` / `<version, 6 digits>`: the profile; `PROFILES` / `<name>`: the
 * names that there are, with the newest version. Keys and access patterns are in this file only.
 */
const profileKey = (name: string, version: number): ItemKey => ({
  pk: `P#${name}`,
  sk: version.toString().padStart(6, "0"),
});
const NAMES = "PROFILES";
const Stored = z.object({ profile: DeviceProfile });
const StoredName = z.object({ sk: z.string(), version: z.int() });

export function dynamoProfiles(db: DynamoDBDocumentClient, TableName: string): Profiles {
  return {
    async latest(name) {
      const { Items } = await db.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: "pk = :pk",
          ExpressionAttributeValues: { ":pk": `P#${name}` },
          ScanIndexForward: false,
          Limit: 1,
        }),
      );
      return Items?.[0] === undefined ? undefined : Stored.parse(Items[0]).profile;
    },
    async version(name, version) {
      const { Item } = await db.send(new GetCommand({ TableName, Key: profileKey(name, version) }));
      return Item === undefined ? undefined : Stored.parse(Item).profile;
    },
    async list() {
      const { Items } = await db.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: "pk = :pk",
          ExpressionAttributeValues: { ":pk": NAMES },
        }),
      );
      const names = (Items ?? []).map((item) => StoredName.parse(item));
      const items = await batchGet(
        db,
        TableName,
        names.map(({ sk, version }) => profileKey(sk, version)),
      );
      return items.map((item) => Stored.parse(item).profile).sort((left, right) => (left.name < right.name ? -1 : 1));
    },
    async add(profile) {
      const { name, version } = profile;
      const added = await heldCondition(
        db.send(
          new PutCommand({
            TableName,
            Item: { ...profileKey(name, version), profile },
            ConditionExpression: "attribute_not_exists(pk)",
          }),
        ),
      );
      await heldCondition(
        db.send(
          new PutCommand({
            TableName,
            Item: { pk: NAMES, sk: name, version },
            ConditionExpression: "attribute_not_exists(pk) OR #version < :version",
            ExpressionAttributeNames: { "#version": "version" },
            ExpressionAttributeValues: { ":version": version },
          }),
        ),
      );
      return added ? "added" : "exists";
    },
  };
}
