import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { EndpointHealth, HEALTHY } from "../../shared/events/circuit.ts";
import type { EndpointHealths, Subscriptions } from "../../shared/events/deliver-webhook.ts";
import { Subscription } from "../../shared/events/subscription.ts";
import { heldCondition } from "./dynamo-conditions.ts";

/**
 * Subscriptions in the Ledger table: `SUBSCRIPTIONS` / `<id>`; how their endpoints answer: `ENDPOINT-HEALTH` / `<id>`. Their
 * secrets: `dynamo-sealed-secrets.ts`.
 */
const SUBSCRIPTIONS = "SUBSCRIPTIONS";
const HEALTH = "ENDPOINT-HEALTH";

const allOf = async (db: DynamoDBDocumentClient, TableName: string, pk: string) => {
  const items: Record<string, unknown>[] = [];
  const pages = paginateQuery(
    { client: db },
    { TableName, KeyConditionExpression: "pk = :pk", ExpressionAttributeValues: { ":pk": pk }, ConsistentRead: true },
  );
  for await (const page of pages) items.push(...(page.Items ?? []));
  return items;
};

export function dynamoSubscriptions(db: DynamoDBDocumentClient, TableName: string): Subscriptions {
  const keyOf = (subscriptionId: string) => ({ pk: SUBSCRIPTIONS, sk: subscriptionId });
  const itemOf = (subscription: Subscription) => ({
    ...keyOf(subscription.subscriptionId),
    v: subscription.version,
    subscription,
  });
  return {
    async create(subscription) {
      const ConditionExpression = "attribute_not_exists(pk)";
      const put = db.send(new PutCommand({ TableName, Item: itemOf(subscription), ConditionExpression }));
      return (await heldCondition(put)) ? "created" : "exists";
    },
    async read(subscriptionId) {
      const { Item } = await db.send(new GetCommand({ TableName, Key: keyOf(subscriptionId), ConsistentRead: true }));
      return Item === undefined ? undefined : Subscription.parse(Item.subscription);
    },
    list: async () =>
      (await allOf(db, TableName, SUBSCRIPTIONS)).map(({ subscription }) => Subscription.parse(subscription)),
    async write(was, next) {
      const put = new PutCommand({
        TableName,
        Item: itemOf({ ...next, version: was.version + 1 }),
        ConditionExpression: "v = :was",
        ExpressionAttributeValues: { ":was": was.version },
      });
      return (await heldCondition(db.send(put))) ? "written" : "conflict";
    },
    async remove(subscriptionId) {
      await db.send(new DeleteCommand({ TableName, Key: keyOf(subscriptionId) }));
      await db.send(new DeleteCommand({ TableName, Key: { pk: HEALTH, sk: subscriptionId } }));
    },
  };
}

export function dynamoEndpointHealths(db: DynamoDBDocumentClient, TableName: string): EndpointHealths {
  const keyOf = (subscriptionId: string) => ({ pk: HEALTH, sk: subscriptionId });
  const parsed = ({ pk: _, sk: __, ...health }: Record<string, unknown>): EndpointHealth =>
    EndpointHealth.parse({ failures: 0, ...health });
  const update = (
    subscriptionId: string,
    UpdateExpression: string,
    values: Record<string, unknown>,
    ConditionExpression?: string,
  ) =>
    new UpdateCommand({
      TableName,
      Key: keyOf(subscriptionId),
      UpdateExpression,
      ...(Object.keys(values).length === 0 ? {} : { ExpressionAttributeValues: values }),
      ...(ConditionExpression === undefined ? {} : { ConditionExpression }),
      ReturnValues: "ALL_NEW",
    });
  return {
    async health(subscriptionId) {
      const { Item } = await db.send(new GetCommand({ TableName, Key: keyOf(subscriptionId), ConsistentRead: true }));
      return Item === undefined ? HEALTHY : parsed(Item);
    },
    healths: async () =>
      new Map((await allOf(db, TableName, HEALTH)).map((item) => [String(item.sk), parsed(item)] as const)),
    async succeeded(subscriptionId, at) {
      await db.send(
        update(subscriptionId, "SET failures = :none, lastDeliveredAt = :at REMOVE failingSince, openUntil", {
          ":none": 0,
          ":at": at,
        }),
      );
    },
    async failed(subscriptionId, at, problem) {
      const { Attributes = {} } = await db.send(
        update(
          subscriptionId,
          "SET failingSince = if_not_exists(failingSince, :at), lastFailure = :failure ADD failures :one",
          { ":at": at, ":failure": { at, problem }, ":one": 1 },
        ),
      );
      return parsed(Attributes);
    },
    async open(subscriptionId, until) {
      await heldCondition(
        db.send(
          update(
            subscriptionId,
            "SET openUntil = :until",
            { ":until": until },
            "attribute_not_exists(openUntil) OR openUntil < :until",
          ),
        ),
      );
    },
    probe: (subscriptionId, openUntil, until) =>
      heldCondition(
        db.send(
          update(subscriptionId, "SET openUntil = :until", { ":until": until, ":was": openUntil }, "openUntil = :was"),
        ),
      ),
    async suspend(subscriptionId, at, because) {
      await db.send(update(subscriptionId, "SET suspended = :suspended", { ":suspended": { at, because } }));
    },
    async forgive(subscriptionId) {
      await db.send(
        update(subscriptionId, "SET failures = :none REMOVE failingSince, openUntil, suspended", { ":none": 0 }),
      );
    },
  };
}
