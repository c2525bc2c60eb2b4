import { type DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { IntervalCounts } from "../../shared/jobs/schedule-runs.ts";
import type { DaySummaries, DaySummary } from "../../shared/readings/close-days.ts";
import { DayCounts } from "../../shared/readings/missing-records.ts";
import { heldCondition } from "./dynamo-conditions.ts";
import { partitionItems } from "./partition-items.ts";

/** In the Readings table: `DAYS` / `<yyyy-mm-dd>`: what the closing pass knows of a UTC day as a whole. */
const PARTITION = "DAYS";
const dayText = (day: number): string => new Date(day).toISOString().slice(0, 10);

const Counted = { counts: DayCounts, schedules: z.record(z.string(), IntervalCounts).optional() };
const Stored = z.object({
  sk: z.string(),
  passes: z.int(),
  nextAt: z.int().optional(),
  counted: z.strictObject({ at: z.int(), ...Counted }).optional(),
  under: z.strictObject({ from: z.int(), at: z.int(), toRead: z.int(), ...Counted }).optional(),
  v: z.int().min(1),
});

/** Summaries of days on DynamoDB. */
export const dynamoDaySummaries = (db: DynamoDBDocumentClient, TableName: string): DaySummaries => ({
  async list(from, to) {
    const found: DaySummary[] = [];
    for await (const item of partitionItems(db, TableName, PARTITION, { from: dayText(from), to: dayText(to) })) {
      const { sk, v, ...rest } = Stored.parse(item);
      found.push({ ...rest, day: Date.parse(`${sk}T00:00:00Z`), version: v });
    }
    return found;
  },
  async write({ day, passes, nextAt, counted, under }, was) {
    const written = await heldCondition(
      db.send(
        new PutCommand({
          TableName,
          Item: { pk: PARTITION, sk: dayText(day), passes, nextAt, counted, under, v: was + 1 },
          ...(was === 0
            ? { ConditionExpression: "attribute_not_exists(pk)" }
            : { ConditionExpression: "v = :was", ExpressionAttributeValues: { ":was": was } }),
        }),
      ),
    );
    return written ? "written" : "conflict";
  },
});
