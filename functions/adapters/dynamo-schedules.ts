import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
} from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { Schedule, type Schedules } from "../../shared/jobs/schedule.ts";
import { ScheduleRun, type ScheduleRuns } from "../../shared/jobs/schedule-runs.ts";
import { batchGet } from "./batch-get.ts";
import { heldCondition } from "./dynamo-conditions.ts";
import { partitionItems } from "./partition-items.ts";

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
      for await (const { sk } of partitionItems(db, TableName, "SCHEDULES")) ids.push(String(sk));
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

const runText = (runAt: number): string => String(runAt).padStart(15, "0");
const runKey = (scheduleId: string, runAt: number) => ({ pk: `S#${scheduleId}`, sk: `run#${runText(runAt)}` });
const watchKey = (scheduleId: string, runAt: number) => ({ pk: "RUNS", sk: `${scheduleId}#${runText(runAt)}` });
const Watched = z.object({ scheduleId: z.string(), runAt: z.int() });

/**
 * Runs of schedules with a service level, in the Ledger table: `S#<id>/run#<run, 15 digits>`; those that are watched also
 * have an entry `RUNS/<id>#<run>`. The entry first: one without its run says nothing.
 */
export function dynamoScheduleRuns(db: DynamoDBDocumentClient, TableName: string): ScheduleRuns {
  const itemOf = (run: ScheduleRun): Record<string, unknown> => ({
    ...runKey(run.scheduleId, run.runAt),
    run,
  });
  return {
    async begin(run) {
      const { scheduleId, runAt } = run;
      // A double tick may come after the run was judged: then its entry is taken off again at the next look.
      await db.send(new PutCommand({ TableName, Item: { ...watchKey(scheduleId, runAt), scheduleId, runAt } }));
      await heldCondition(
        db.send(new PutCommand({ TableName, Item: itemOf(run), ConditionExpression: "attribute_not_exists(pk)" })),
      );
    },
    async watched() {
      const entries: z.infer<typeof Watched>[] = [];
      for await (const item of partitionItems(db, TableName, "RUNS")) entries.push(Watched.parse(item));
      const keys = entries.map(({ scheduleId, runAt }) => runKey(scheduleId, runAt));
      return (await batchGet(db, TableName, keys)).map((item) => ScheduleRun.parse(item.run));
    },
    async write(run, watch) {
      await db.send(new PutCommand({ TableName, Item: itemOf(run) }));
      if (!watch) await db.send(new DeleteCommand({ TableName, Key: watchKey(run.scheduleId, run.runAt) }));
    },
    async of(scheduleId, limit) {
      const { Items = [] } = await db.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: "pk = :pk AND begins_with(sk, :run)",
          ExpressionAttributeValues: { ":pk": `S#${scheduleId}`, ":run": "run#" },
          ScanIndexForward: false,
          Limit: limit,
          ConsistentRead: true,
        }),
      );
      return Items.map((item) => ScheduleRun.parse(item.run));
    },
    async run(scheduleId, runAt) {
      const { Item } = await db.send(
        new GetCommand({ TableName, Key: runKey(scheduleId, runAt), ConsistentRead: true }),
      );
      return Item === undefined ? undefined : ScheduleRun.parse(Item.run);
    },
  };
}
