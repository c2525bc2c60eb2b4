import { type DynamoDBDocumentClient, PutCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { Meter, MeterId } from "../../shared/metering/meter.ts";
import { seedOf } from "../../shared/ports/random.ts";
import type { MeterDirectory } from "../../shared/queries/find-meters.ts";
import type { RegisteredMeter } from "../../shared/registry/registered-meter.ts";
import type { Claim, ClaimName, Registry } from "../../shared/registry/registry.ts";
import { batchGet, type ItemKey } from "./batch-get.ts";
import { heldCondition } from "./dynamo-conditions.ts";

/**
 * Meters and claims in the Registry table. `M#<meterId>` / `meter`, in the index `directory` under one of 16 partitions
 * by meter id; `T#<kind>#<title or serial>` / `claim`. Keys and access patterns of both are in this file only.
 */
const DIRECTORY = "directory";
const DIRECTORY_SHARDS = 16;
const meterKey = (meterId: string): ItemKey => ({ pk: `M#${meterId}`, sk: "meter" });
const claimKey = ({ kind, value }: ClaimName): ItemKey => ({ pk: `T#${kind}#${value}`, sk: "claim" });
const directoryShard = (shard: number): string => `DIR#${shard}`;

const StoredMeter = z.object({
  meter: Meter,
  profileVersion: z.int(),
  state: z.enum(["enrolling", "enrolled", "retired"]),
  segment: z.int(),
  slot: z.int(),
  secured: z.boolean(),
  enrolledAt: z.int(),
  source: z.string().optional(),
  installed: z.strictObject({ at: z.int(), replaces: MeterId }).optional(),
  retired: z.strictObject({ at: z.int(), replacedBy: MeterId.optional() }).optional(),
  version: z.int(),
});
const StoredClaim = z.object({ meterId: MeterId, at: z.int() });

function fromStored(item: unknown): RegisteredMeter {
  const { segment, slot, ...rest } = StoredMeter.parse(item);
  return { ...rest, place: { segment, slot } };
}

function toStored({ place, ...rest }: RegisteredMeter): Record<string, unknown> {
  const { meterId } = rest.meter;
  return {
    ...meterKey(meterId),
    dirPk: directoryShard(seedOf(meterId) % DIRECTORY_SHARDS),
    dirSk: meterId,
    ...rest,
    ...place,
  };
}

export function dynamoRegistry(db: DynamoDBDocumentClient, TableName: string): Registry & MeterDirectory {
  const put = (Item: Record<string, unknown>, condition: string, values?: Record<string, unknown>): Promise<boolean> =>
    heldCondition(
      db.send(
        new PutCommand({
          TableName,
          Item,
          ConditionExpression: condition,
          ...(values === undefined ? {} : { ExpressionAttributeValues: values }),
          ...(condition.includes("#") ? { ExpressionAttributeNames: namesIn(condition) } : {}),
        }),
      ),
    );

  return {
    async meters(meterIds) {
      const items = await batchGet(db, TableName, meterIds.map(meterKey));
      return new Map(items.map(fromStored).map((meter) => [meter.meter.meterId, meter]));
    },
    async createMeter(meter) {
      return (await put(toStored(meter), "attribute_not_exists(pk)")) ? "created" : "exists";
    },
    async writeMeter(was, next) {
      const item = toStored({ ...next, version: was.version + 1 });
      return (await put(item, "#version = :was", { ":was": was.version })) ? "written" : "conflict";
    },
    async claims(names) {
      const items = await batchGet(db, TableName, names.map(claimKey));
      const found = new Map(items.map((item) => [item.pk, StoredClaim.parse(item)]));
      return names.map((name) => found.get(claimKey(name).pk));
    },
    async claim(name, { meterId, at }, over) {
      const item = { ...claimKey(name), meterId, at };
      const claimed =
        over === undefined
          ? await put(item, "attribute_not_exists(pk) OR #meterId = :me", { ":me": meterId })
          : await put(item, "#meterId = :owner AND #at = :at", { ":owner": over.meterId, ":at": over.at });
      return claimed ? "claimed" : "taken";
    },
    async list({ prefix, after, limit }) {
      const shards = await Promise.all(
        Array.from({ length: DIRECTORY_SHARDS }, async (_, shard) => {
          const { Items } = await db.send(
            new QueryCommand({
              TableName,
              IndexName: DIRECTORY,
              KeyConditionExpression: "dirPk = :shard AND dirSk BETWEEN :from AND :to",
              ExpressionAttributeValues: {
                ":shard": directoryShard(shard),
                // Ids are ASCII: a blank is below, a tilde above every character that may follow.
                ":from": after === undefined || after < prefix ? prefix || " " : `${after} `,
                ":to": `${prefix}~`,
              },
              Limit: limit + 1,
            }),
          );
          return (Items ?? []).map(fromStored);
        }),
      );
      const byId = (left: RegisteredMeter, right: RegisteredMeter): number =>
        left.meter.meterId < right.meter.meterId ? -1 : 1;
      const sorted = shards.flat().sort(byId);
      const meters = sorted.slice(0, limit);
      const last = meters.at(-1);
      return { meters, ...(sorted.length > limit && last !== undefined ? { next: last.meter.meterId } : {}) };
    },
  };
}

const namesIn = (condition: string): Record<string, string> =>
  Object.fromEntries([...condition.matchAll(/#(\w+)/g)].map(([placeholder, name]) => [placeholder, name as string]));

/** A claim as the API looks it up: by title, serial or service point. */
export const claimOf = async (registry: Registry, value: string): Promise<Claim | undefined> => {
  const [title, serial, servicePoint] = await registry.claims([
    { kind: "title", value: value.toLowerCase() },
    { kind: "serial", value },
    { kind: "service-point", value },
  ]);
  return title ?? serial ?? servicePoint;
};
