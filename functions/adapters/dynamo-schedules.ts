import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
} from "@aws-sdk/lib-dynamodb";
import { Schedule, type Schedules } from "../../shared/jobs/schedule.ts";
import { batchGet } from "./batch-get.ts";
import { heldCondition } from "./dynamo-conditions.ts";

const keyOf = (scheduleId: string): { pk: string; sk: string } => ({ pk: `S#${scheduleId}`, sk: "schedule" });
/** An entry without its schedule says nothing: it is written first and removed last. */
const entryOf = (scheduleId: string): { pk: string; sk: string } => ({ pk: "SCHEDULES", sk: scheduleId });

/** Schedules in the Ledger table: `S#<id>/schedule`, found by their entries `SCHEDULES/<id>`. */
export function dynamoSchedules(db: DynamoDBDocumentClient, TableName: string): Schedules {
  const itemOf = (schedule: Schedule): Record<string, unknown> => ({
    ...keyOf(schedule.scheduleId),
    version: schedule.version,
    schedule,
  });
  return {
    async create(schedule) {
      await db.send(new PutCommand({ TableName, Item: entryOf(schedule.scheduleId) }));
      const created = await heldCondition(
        db.send(new PutCommand({ TableName, Item: itemOf(schedule), ConditionExpression: "attribute_not_exists(pk)" })),
      );
      return created ? "created" : "exists";
    },
    async read(scheduleId) {
      const { Item } = await db.send(new GetCommand({ TableName, Key: keyOf(scheduleId), ConsistentRead: true }));
      return Item === undefined ? undefined : Schedule.parse(Item.schedule);
    },
    async list() {
      const ids: string[] = [];
      const pages = paginateQuery(
        { client: db },
        {
          TableName,
          KeyConditionExpression: "pk = :pk",
          ExpressionAttributeValues: { ":pk": "SCHEDULES" },
          ConsistentRead: true,
        },
      );
      for await (const page of pages) for (const item of page.Items ?? []) ids.push(String(item.sk));
      const found = (await batchGet(db, TableName, ids.map(keyOf))).map((item) => Schedule.parse(item.schedule));
      return found.sort((left, right) => (left.scheduleId < right.scheduleId ? -1 : 1));
    },
    async write(was, next) {
      const written = await heldCondition(
        db.send(
          new PutCommand({
            TableName,
            Item: itemOf({ ...next, version: was.version + 1 }),
            ConditionExpression: "#version = :was",
            ExpressionAttributeNames: { "#version": "version" },
            ExpressionAttributeValues: { ":was": was.version },
          }),
        ),
      );
      return written ? "written" : "conflict";
    },
    async remove(scheduleId) {
      await db.send(new DeleteCommand({ TableName, Key: keyOf(scheduleId) }));
      await db.send(new DeleteCommand({ TableName, Key: entryOf(scheduleId) }));
    },
  };
}
