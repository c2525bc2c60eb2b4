import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
  QueryCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { Job } from "../../shared/jobs/job.ts";
import type { JobProgress, Ledger } from "../../shared/jobs/ledger.ts";
import { partitionOf, partitionsIn } from "../../shared/jobs/partitions.ts";
import type { SliceKey } from "../../shared/jobs/slice.ts";
import { MINUTE_MS } from "../../shared/jobs/slice-due.ts";
import { batchGet } from "./batch-get.ts";
import { heldCondition } from "./dynamo-conditions.ts";
import { partitionItems } from "./partition-items.ts";
import { DUE_INDEX, duePartition, sliceItem, sliceKey, sliceKeyOf, sliceOf, slicePartition } from "./slice-item.ts";

const jobKey = (jobId: string): { pk: string; sk: string } => ({ pk: `J#${jobId}`, sk: "job" });
/** Newest last; entries whose job is missing or of another instant are the debris of an interrupted creation. */
const listOf = (callerId?: string): string => (callerId === undefined ? "JOBS" : `JOBS#${callerId}`);
const listKey = (job: Pick<Job, "createdAt" | "jobId">, callerId?: string): { pk: string; sk: string } => ({
  pk: listOf(callerId),
  sk: `${String(job.createdAt).padStart(15, "0")}#${job.jobId}`,
});
const liveKey = (jobId: string): { pk: string; sk: string } => ({ pk: "LIVE", sk: jobId });
const watermarkKey = (lane: string, share?: string): { pk: string; sk: string } => ({
  pk: `W#${lane}`,
  sk: share === undefined ? "watermark" : `watermark#${share}`,
});

/**
 * The ledger on DynamoDB. Items: job `J#<job>/job`, its progress `J#<job>/progress`, list entries `JOBS/<createdAt>#<job>`
 * and `JOBS#<caller>/<createdAt>#<job>`, mark of a job that is not closed `LIVE/<job>`, watermark `W#<lane>/watermark` and `W#<lane>/watermark#<share>`, sweep mark `W#sweep/until`; slices as in
 * `slice-item.ts`. `now` (clock ms) only keeps due marks from lying in minutes that were swept already.
 */
export function dynamoLedger(db: DynamoDBDocumentClient, TableName: string, now: () => number = Date.now): Ledger {
  const jobsOf = async (jobIds: readonly string[]): Promise<ReadonlyMap<string, Job>> => {
    const jobs = (await batchGet(db, TableName, jobIds.map(jobKey))).map((item) => Job.parse(item.job));
    return new Map(jobs.map((job) => [job.jobId, job]));
  };
  const raise = async (key: { pk: string; sk: string }, at: number): Promise<void> => {
    await heldCondition(
      db.send(
        new UpdateCommand({
          TableName,
          Key: key,
          UpdateExpression: "SET #at = :at",
          ConditionExpression: "attribute_not_exists(pk) OR #at < :at",
          ExpressionAttributeNames: { "#at": "at" },
          ExpressionAttributeValues: { ":at": at },
        }),
      ),
    );
  };
  const mark = async (Key: { pk: string; sk: string }): Promise<number | undefined> => {
    const { Item } = await db.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
    return Item === undefined ? undefined : Number(Item.at);
  };

  const partitionsIfKnown = async (jobId: string): Promise<readonly number[]> => {
    const { Item } = await db.send(new GetCommand({ TableName, Key: jobKey(jobId), ConsistentRead: true }));
    return partitionsIn(Item === undefined ? undefined : Job.parse(Item.job).partitions);
  };

  return {
    // Every prefix is harmless: a list entry or a live mark without its job says nothing.
    async createJob(job) {
      await Promise.all([
        db.send(new PutCommand({ TableName, Item: listKey(job) })),
        db.send(new PutCommand({ TableName, Item: listKey(job, job.caller.id) })),
        db.send(new PutCommand({ TableName, Item: liveKey(job.jobId) })),
      ]);
      const created = await heldCondition(
        db.send(
          new PutCommand({
            TableName,
            Item: { ...jobKey(job.jobId), state: job.state, job },
            ConditionExpression: "attribute_not_exists(pk)",
          }),
        ),
      );
      return created ? "created" : "exists";
    },
    async job(jobId) {
      const { Item } = await db.send(new GetCommand({ TableName, Key: jobKey(jobId), ConsistentRead: true }));
      return Item === undefined ? undefined : Job.parse(Item.job);
    },
    async moveJob(jobId, from, change) {
      const fields = Object.entries(change).filter(([, value]) => value !== undefined);
      const held = await heldCondition(
        db.send(
          new UpdateCommand({
            TableName,
            Key: jobKey(jobId),
            UpdateExpression: `SET #state = :state, ${fields.map((_, index) => `#job.#f${index} = :f${index}`).join(", ")}`,
            ConditionExpression: "#state = :from",
            ExpressionAttributeNames: {
              "#state": "state",
              "#job": "job",
              ...Object.fromEntries(fields.map(([name], index) => [`#f${index}`, name])),
            },
            ExpressionAttributeValues: {
              ":from": from,
              ":state": change.state,
              ...Object.fromEntries(fields.map(([, value], index) => [`:f${index}`, value])),
            },
          }),
        ),
      );
      return held ? "written" : "conflict";
    },
    async jobs({ limit, cursor, callerId }) {
      const { Items, LastEvaluatedKey } = await db.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: cursor === undefined ? "pk = :pk" : "pk = :pk AND sk < :before",
          ExpressionAttributeValues: {
            ":pk": listOf(callerId),
            ...(cursor === undefined ? {} : { ":before": cursor }),
          },
          ScanIndexForward: false,
          Limit: limit,
        }),
      );
      const entries = (Items ?? []).map((item) => String(item.sk));
      const jobs = await jobsOf(entries.map((sk) => sk.slice(sk.indexOf("#") + 1)));
      const last = entries.at(-1);
      return {
        jobs: entries.flatMap((sk) => {
          const job = jobs.get(sk.slice(sk.indexOf("#") + 1));
          return job !== undefined && listKey(job).sk === sk ? [job] : [];
        }),
        ...(LastEvaluatedKey !== undefined && last !== undefined ? { cursor: last } : {}),
      };
    },
    async liveJobs() {
      const marked: string[] = [];
      for await (const { sk } of partitionItems(db, TableName, "LIVE")) marked.push(String(sk));
      const jobs = [...(await jobsOf(marked)).values()];
      // Who closes a job leaves its mark: only the sweep may delete, and it comes by anyway.
      const closed = jobs.filter((job) => job.state === "closed");
      await Promise.all(closed.map((job) => db.send(new DeleteCommand({ TableName, Key: liveKey(job.jobId) }))));
      return jobs.filter((job) => job.state !== "closed");
    },

    async createSlice(slice) {
      const created = await heldCondition(
        db.send(
          new PutCommand({
            TableName,
            Item: sliceItem(slice, now()),
            ConditionExpression: "attribute_not_exists(pk)",
          }),
        ),
      );
      return created ? "created" : "exists";
    },
    async slice(key) {
      const { Item } = await db.send(new GetCommand({ TableName, Key: sliceKey(key), ConsistentRead: true }));
      return Item === undefined ? undefined : sliceOf(Item);
    },
    async *slicesOf(jobId, { from, partitions } = {}) {
      const first = from === undefined ? undefined : partitionOf(from.segment);
      for (const partition of partitions ?? (await partitionsIfKnown(jobId))) {
        if (first !== undefined && partition < first) continue;
        const begin = from !== undefined && partition === first ? sliceKey({ jobId, ...from }).sk : undefined;
        const items = partitionItems(db, TableName, slicePartition(jobId, partition), { from: begin });
        for await (const item of items) yield sliceOf(item);
      }
    },
    async writeSlice(was, next) {
      const written = await heldCondition(
        db.send(
          new PutCommand({
            TableName,
            Item: sliceItem({ ...next, version: was.version + 1 }, now()),
            ConditionExpression: "#version = :was",
            ExpressionAttributeNames: { "#version": "version" },
            ExpressionAttributeValues: { ":was": was.version },
          }),
        ),
      );
      return written ? "written" : "conflict";
    },
    async *dueSlices(at, shard, since = at - 15 * MINUTE_MS): AsyncGenerator<SliceKey> {
      const last = Math.floor(at / MINUTE_MS);
      for (let minute = Math.floor(since / MINUTE_MS) + 1; minute <= last; minute++) {
        const pages = paginateQuery(
          { client: db },
          {
            TableName,
            IndexName: DUE_INDEX,
            KeyConditionExpression: "duePk = :due",
            ExpressionAttributeValues: { ":due": duePartition(minute, shard) },
          },
        );
        for await (const page of pages) for (const item of page.Items ?? []) yield sliceKeyOf(item);
      }
    },
    sweptUntil: () => mark({ pk: "W#sweep", sk: "until" }),
    raiseSweptUntil: (at) => raise({ pk: "W#sweep", sk: "until" }, at),
    watermark: (lane, share) => mark(watermarkKey(lane, share)),
    raiseWatermark: (lane, sentAt, share) => raise(watermarkKey(lane, share), sentAt),
    async writeProgress(jobId, progress) {
      const Item = { pk: `J#${jobId}`, sk: "progress", ...progress };
      await db.send(new PutCommand({ TableName, Item }));
    },
    async progress(jobId) {
      const { Item } = await db.send(new GetCommand({ TableName, Key: { pk: `J#${jobId}`, sk: "progress" } }));
      if (Item === undefined) return undefined;
      const { pk: _pk, sk: _sk, ...progress } = Item;
      return progress as JobProgress;
    },
  };
}
