import { ConditionalCheckFailedException } from "@aws-sdk/client-dynamodb";
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  UpdateCommand,
  type UpdateCommandInput,
} from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import type {
  AccessEnrolment,
  AccessItem,
  AccessStore,
  MeterFlags,
  MeterIdentities,
  SlotOwners,
} from "../../shared/jobs/access.ts";
import { ChannelPlan, planUntil } from "../../shared/metering/channel-plan.ts";
import { MeterIdentity } from "../../shared/metering/identity.ts";
import { MeterId, type Place } from "../../shared/metering/meter.ts";
import { Dial, Relay, Route } from "../../shared/metering/route.ts";
import type { Plans } from "../../shared/readings/account-day.ts";
import { type CounterMark, leaseFrom, staleEpoch } from "../../shared/security/counters.ts";
import { batchGet } from "./batch-get.ts";

/**
 * The Access table. `SEG#<segment>` / `<slot, 4 digits>`: access item; `MARK#<segment>` / `mark`: counter mark.
 * Keys and access patterns of both are in this file only.
 */
const segmentKey = (segment: number): string => `SEG#${segment}`;
const slotKey = (slot: number): string => slot.toString().padStart(4, "0");
const keyOf = ({ segment, slot }: Place) => ({ pk: segmentKey(segment), sk: slotKey(slot) });
const markKey = (segment: number) => ({ pk: `MARK#${segment}`, sk: "mark" });

/** A DynamoDB number comes back as number, or as bigint beyond 2^53. */
const Big = z.union([z.int(), z.bigint()]).transform(BigInt);

const entry = { connection: z.string(), seq: z.int() };
const StoredItem = z
  .object({
    pk: z.string(),
    sk: z.string(),
    meterId: MeterId,
    routes: z.array(Route),
    profile: z.strictObject({ name: z.string(), version: z.int() }),
    plan: ChannelPlan.optional(),
    installedAt: z.int().optional(),
    retiredAt: z.int().optional(),
    systemTitle: z.string().optional(),
    identity: MeterIdentity.extend({ at: z.int() }).optional(),
    collector: z.string().optional(),
    cell: z.string().optional(),
    feeder: z.string().optional(),
    transformer: z.string().optional(),
    loadWatts: z.int().min(0).optional(),
    sealedKeys: z.strictObject({ blob: z.instanceof(Uint8Array), version: z.int() }).optional(),
    counterOffset: Big,
    offsetFloor: z.union([z.literal("unsettled"), Big]).optional(),
    offsetRaises: z.strictObject({ day: z.int(), sum: Big }).optional(),
    holdOwner: z.string().optional(),
    holdUntil: z.int().optional(),
    holdBase: Big.optional(),
    releasedBase: Big,
    lastOrder: z.int(),
    creditBy: z.string().optional(),
    creditUntil: z.int().optional(),
    attached: z
      .union([
        z.strictObject({ task: z.string(), address: z.string(), ...entry }),
        z.strictObject({ route: z.discriminatedUnion("kind", [Dial, Relay]), until: z.int(), ...entry }),
      ])
      .optional(),
    attachedSeq: z.int().optional(),
    flags: z.strictObject({ medical: z.boolean(), priority: z.boolean(), moratorium: z.boolean() }),
  })
  .transform(({ pk, sk, holdOwner, holdUntil, holdBase, creditBy, creditUntil, ...stored }) => ({
    ...stored,
    segment: Number(pk.slice("SEG#".length)),
    slot: Number(sk),
    ...(holdOwner === undefined || holdUntil === undefined
      ? {}
      : { hold: { owner: holdOwner, until: holdUntil, base: holdBase ?? 0n } }),
    ...(creditBy === undefined || creditUntil === undefined
      ? {}
      : { creditClaim: { by: creditBy, until: creditUntil } }),
  }));
const StoredMark = z.object({ mark: Big, epoch: z.int() });

/** zod answers absent optional fields as absent; only its type says `| undefined`. */
const fromStored = (item: unknown): AccessItem => StoredItem.parse(item) as AccessItem;

function toStored(item: AccessItem): Record<string, unknown> {
  const { segment, slot, hold, ...plain } = item;
  const fields = Object.entries({
    ...keyOf({ segment, slot }),
    ...plain,
    holdOwner: hold?.owner,
    holdUntil: hold?.until,
    holdBase: hold?.base,
  });
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}

const StoredPlan = z.object({ sk: z.string(), plan: ChannelPlan.optional() });

export function dynamoAccess(
  db: DynamoDBDocumentClient,
  TableName: string,
): AccessStore & AccessEnrolment & MeterFlags & MeterIdentities & SlotOwners & Plans {
  /** False: the condition did not hold. */
  const update = async (input: Omit<UpdateCommandInput, "TableName">): Promise<boolean> => {
    try {
      await db.send(new UpdateCommand({ TableName, ...input }));
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  };
  const readMark = async (segment: number): Promise<CounterMark | undefined> => {
    const { Item } = await db.send(new GetCommand({ TableName, Key: markKey(segment), ConsistentRead: true }));
    return Item === undefined ? undefined : StoredMark.parse(Item);
  };
  const readAny = async (place: Place): Promise<AccessItem | undefined> => {
    const { Item } = await db.send(new GetCommand({ TableName, Key: keyOf(place), ConsistentRead: true }));
    return Item === undefined ? undefined : fromStored(Item);
  };
  const readAll = async (segment: number, slots: readonly number[]): Promise<readonly AccessItem[]> => {
    const keys = slots.map((slot) => keyOf({ segment, slot }));
    return (await batchGet(db, TableName, keys)).map(fromStored);
  };

  return {
    async createAccessItem(item) {
      try {
        await db.send(
          new PutCommand({ TableName, Item: toStored(item), ConditionExpression: "attribute_not_exists(pk)" }),
        );
        return "created";
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
        return (await readAny(item))?.meterId === item.meterId ? "own" : "taken";
      }
    },
    async retire(place, meterId, at) {
      const item = await readAny(place);
      if (item?.meterId !== meterId) return false;
      // Nobody else writes a plan: enrolment did, and the same exchange again writes the same.
      const plan = item.plan && { ":plan": planUntil(item.plan, at) };
      return update({
        Key: keyOf(place),
        UpdateExpression: `SET retiredAt = :at${plan === undefined ? "" : ", #plan = :plan"} REMOVE sealedKeys, attached`,
        ConditionExpression: "meterId = :meter",
        ...(plan === undefined ? {} : { ExpressionAttributeNames: { "#plan": "plan" } }),
        ExpressionAttributeValues: { ":at": at, ":meter": meterId, ...plan },
      });
    },
    async read(place) {
      const item = await readAny(place);
      return item?.retiredAt === undefined ? item : undefined;
    },
    readMany: async (segment, slots) =>
      (await readAll(segment, slots)).filter(({ retiredAt }) => retiredAt === undefined),
    ownersOf: async (segment, slots) =>
      new Map((await readAll(segment, slots)).map(({ slot, meterId }) => [slot, meterId])),
    async plansOf(segment) {
      const plans = new Map<number, ChannelPlan>();
      const pages = paginateQuery(
        { client: db },
        {
          TableName,
          KeyConditionExpression: "pk = :pk",
          ExpressionAttributeValues: { ":pk": segmentKey(segment) },
          ExpressionAttributeNames: { "#plan": "plan" },
          ProjectionExpression: "sk, #plan",
        },
      );
      for await (const page of pages)
        for (const item of page.Items ?? []) {
          const { sk, plan } = StoredPlan.parse(item);
          if (plan !== undefined) plans.set(Number(sk), plan);
        }
      return plans;
    },
    async leaseCounters(segment, size, epoch) {
      try {
        const { Attributes } = await db.send(
          new UpdateCommand({
            TableName,
            Key: markKey(segment),
            UpdateExpression: "ADD #mark :size",
            ConditionExpression: "#epoch = :epoch",
            ExpressionAttributeNames: { "#mark": "mark", "#epoch": "epoch" },
            ExpressionAttributeValues: { ":size": size, ":epoch": epoch },
            ReturnValues: "ALL_NEW",
          }),
        );
        return { segment, size, epoch, base: StoredMark.parse(Attributes).mark - BigInt(size) };
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error;
      }
      // No mark yet, or one of another epoch: rare, so a read and a write under what was read.
      for (;;) {
        const was = await readMark(segment);
        if (was?.epoch === epoch) return this.leaseCounters(segment, size, epoch);
        const lease = leaseFrom(was, size, epoch);
        if (lease === "stale") throw staleEpoch(segment, epoch);
        const written = await update({
          Key: markKey(segment),
          UpdateExpression: "SET #mark = :mark, #epoch = :epoch",
          ConditionExpression: was === undefined ? "attribute_not_exists(pk)" : "#epoch = :was AND #mark = :at",
          ExpressionAttributeNames: { "#mark": "mark", "#epoch": "epoch" },
          ExpressionAttributeValues: {
            ":mark": lease.next.mark,
            ":epoch": epoch,
            ...(was === undefined ? {} : { ":was": was.epoch, ":at": was.mark }),
          },
        });
        if (written) return { segment, size, epoch, base: lease.base };
      }
    },
    raiseOffset: (place, meterId, offset, change) =>
      update({
        Key: keyOf(place),
        UpdateExpression: `SET counterOffset = :offset, offsetFloor = :unsettled${change === undefined ? "" : ", offsetRaises = :raises"}`,
        ConditionExpression: `meterId = :meter AND counterOffset < :offset${change === undefined ? "" : " AND counterOffset = :was"}`,
        ExpressionAttributeValues: {
          ":offset": offset,
          ":unsettled": "unsettled",
          ":meter": meterId,
          ...(change === undefined ? {} : { ":raises": change.raises, ":was": change.was }),
        },
      }),
    settleOffset: (place, meterId, offset, floor) =>
      update({
        Key: keyOf(place),
        UpdateExpression: "SET offsetFloor = :floor",
        ConditionExpression: "meterId = :meter AND counterOffset = :offset AND offsetFloor = :unsettled",
        ExpressionAttributeValues: { ":floor": floor, ":meter": meterId, ":offset": offset, ":unsettled": "unsettled" },
      }),
    takeHold: (place, owner, until, base, now) =>
      update({
        Key: keyOf(place),
        UpdateExpression: "SET holdOwner = :owner, holdUntil = :until, holdBase = :base",
        ConditionExpression:
          "attribute_exists(pk) AND (attribute_not_exists(holdOwner) OR holdOwner = :owner OR holdUntil <= :now)",
        ExpressionAttributeValues: { ":owner": owner, ":until": until, ":base": base, ":now": now },
      }),
    acceptOrder: (place, order) =>
      update({
        Key: keyOf(place),
        UpdateExpression: "SET lastOrder = :order",
        ConditionExpression: "attribute_exists(pk) AND lastOrder <= :order",
        ExpressionAttributeValues: { ":order": order },
      }),
    claimCredit: (place, by, until, now) =>
      update({
        Key: keyOf(place),
        UpdateExpression: "SET creditBy = :by, creditUntil = :until",
        ConditionExpression:
          "attribute_exists(pk) AND (attribute_not_exists(creditBy) OR creditBy = :by OR creditUntil <= :now)",
        ExpressionAttributeValues: { ":by": by, ":until": until, ":now": now },
      }),
    releaseCredit: (place, by) =>
      update({
        Key: keyOf(place),
        UpdateExpression: "REMOVE creditBy, creditUntil",
        ConditionExpression: "creditBy = :by",
        ExpressionAttributeValues: { ":by": by },
      }),
    async releaseHold(place, owner, base) {
      const release = (set: string, condition: string) =>
        update({
          Key: keyOf(place),
          UpdateExpression: `${set} REMOVE holdOwner, holdUntil, holdBase`,
          ConditionExpression: `holdOwner = :owner AND ${condition}`,
          ExpressionAttributeValues: { ":owner": owner, ":base": base },
        });
      // The released base only rises: a late release of an old holder must not lower it.
      return (
        (await release("SET releasedBase = :base", "releasedBase < :base")) ||
        (await release("", "releasedBase >= :base"))
      );
    },
    attach: (place, meterId, attached, base) =>
      update({
        Key: keyOf(place),
        UpdateExpression: "SET attached = :attached, attachedSeq = :seq, releasedBase = :base",
        ConditionExpression:
          "meterId = :meter AND (attribute_not_exists(attachedSeq) OR attachedSeq < :seq) AND releasedBase <= :base",
        ExpressionAttributeValues: { ":attached": attached, ":seq": attached.seq, ":meter": meterId, ":base": base },
      }),
    identify: (place, meterId, identity) =>
      update({
        Key: keyOf(place),
        UpdateExpression: "SET #identity = :identity",
        ConditionExpression: "meterId = :meter AND (attribute_not_exists(#identity) OR #identity.#at < :at)",
        ExpressionAttributeNames: { "#identity": "identity", "#at": "at" },
        ExpressionAttributeValues: { ":identity": identity, ":at": identity.at, ":meter": meterId },
      }),
    setFlags: (place, meterId, flags) =>
      update({
        Key: keyOf(place),
        UpdateExpression: "SET #flags = :flags",
        ConditionExpression: "meterId = :meter",
        ExpressionAttributeNames: { "#flags": "flags" },
        ExpressionAttributeValues: { ":flags": flags, ":meter": meterId },
      }),
    detach: (place, connection) =>
      update({
        Key: keyOf(place),
        UpdateExpression: "REMOVE attached", // its number stays: the next connection's is higher
        ConditionExpression: "attached.#connection = :connection",
        ExpressionAttributeNames: { "#connection": "connection" },
        ExpressionAttributeValues: { ":connection": connection },
      }),
  };
}
