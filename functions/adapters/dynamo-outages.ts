import { gunzipSync, gzipSync } from "node:zlib";
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { eachOf } from "../../shared/jobs/concurrency.ts";
import { ElectricalNode } from "../../shared/outage/electrical-tree.ts";
import { FeederRecord, noRecord, OUTAGE_STATES, Outage, OutageId } from "../../shared/outage/outage.ts";
import {
  cursorOf,
  type ElectricalNodes,
  eventIdOf,
  isTold,
  type OutageEvent,
  type OutageStore,
  type PowerNews,
  tellsAgain,
} from "../../shared/outage/outage-store.ts";
import { PowerCheck } from "../../shared/outage/power-check.ts";
import { heldCondition } from "./dynamo-conditions.ts";
import { type ItemRange, partitionItems } from "./partition-items.ts";

/**
 * The Outages table. `NEWS#<0..15>` / `<segment>` {slots, v}; `FEEDER#<feeder>` / `record` {document, v};
 * `WAITING` / `<feeder>`; `OUTAGE#<id>` / `outage` {document, version, told}; `DAY#<yyyy-mm-dd it began>` / `<at, 14
 * digits>#<id>`; `FEED#<yyyy-mm-dd it was told>` / `<at, 14 digits>#<event id>` {document}; `TREE#<feeder>` / `<node>`.
 * Documents are JSON, compressed: they list meters. Keys and access patterns of these are in this file only.
 */
const SHARDS = 16;
const READS_MAX = 16;
const WRITES_MAX = 16;
const DAY_MS = 86_400_000;
const KEPT_DAYS = 800;
const FEED_DAYS = 32;

const newsKey = (segment: number) => ({ pk: `NEWS#${segment % SHARDS}`, sk: String(segment) });
const recordKey = (feeder: string) => ({ pk: `FEEDER#${feeder}`, sk: "record" });
const outageKey = (outageId: string) => ({ pk: `OUTAGE#${outageId}`, sk: "outage" });
const nodeKey = (feeder: string, node: string) => ({ pk: `TREE#${feeder}`, sk: node });
const dayText = (at: number): string => new Date(at).toISOString().slice(0, 10);
const expiresAt = (at: number, days: number): number => Math.floor((at + days * DAY_MS) / 1000);

const packed = (value: unknown): Uint8Array => gzipSync(JSON.stringify(value));
const Packed = z.instanceof(Uint8Array).transform((octets): unknown => JSON.parse(gunzipSync(octets).toString("utf8")));

const StoredNews = z.object({ sk: z.string(), slots: z.set(z.number()), v: z.int() });
const StoredRecord = z.object({ document: Packed });
const StoredOutage = z.object({
  document: Packed.pipe(Outage),
  version: z.int(),
  told: z.array(z.enum(OUTAGE_STATES)),
});
const StoredEvent = z.object({ sk: z.string(), document: Packed.pipe(Outage) });

/** Outages on DynamoDB. */
export function dynamoOutages(db: DynamoDBDocumentClient, TableName: string): OutageStore & ElectricalNodes {
  const query = (pk: string, range?: ItemRange) => partitionItems(db, TableName, pk, range);
  const get = async (Key: Record<string, string>) =>
    (await db.send(new GetCommand({ TableName, Key, ConsistentRead: true }))).Item;
  const put = (Item: Record<string, unknown>) => db.send(new PutCommand({ TableName, Item }));

  const readOutage = async (outageId: string) => {
    const item = await get(outageKey(outageId));
    return item === undefined ? undefined : StoredOutage.parse(item);
  };

  return {
    async noteNews(segment, slots) {
      await db.send(
        new UpdateCommand({
          TableName,
          Key: newsKey(segment),
          UpdateExpression: "ADD slots :slots, v :one",
          ExpressionAttributeValues: { ":slots": new Set(slots), ":one": 1 },
        }),
      );
    },
    async news() {
      const found: PowerNews[] = [];
      await eachOf(
        Array.from({ length: SHARDS }, (_, shard) => shard),
        READS_MAX,
        async (shard) => {
          for await (const item of query(`NEWS#${shard}`)) {
            const { sk, slots, v: version } = StoredNews.parse(item);
            found.push({ segment: Number(sk), slots: [...slots], version });
          }
        },
      );
      return found;
    },
    async dropNews({ segment, version }) {
      await heldCondition(
        db.send(
          new DeleteCommand({
            TableName,
            Key: newsKey(segment),
            ConditionExpression: "v = :version",
            ExpressionAttributeValues: { ":version": version },
          }),
        ),
      );
    },
    async record(feeder) {
      const item = await get(recordKey(feeder));
      return item === undefined ? noRecord(feeder) : FeederRecord.parse(StoredRecord.parse(item).document);
    },
    async writeRecord(record) {
      const version = record.version + 1;
      const written = await heldCondition(
        db.send(
          new PutCommand({
            TableName,
            Item: { ...recordKey(record.feeder), document: packed({ ...record, version }), v: version },
            ...(record.version === 0
              ? { ConditionExpression: "attribute_not_exists(pk)" }
              : { ConditionExpression: "v = :was", ExpressionAttributeValues: { ":was": record.version } }),
          }),
        ),
      );
      return written ? "written" : "conflict";
    },
    async waiting() {
      const feeders: string[] = [];
      for await (const { sk } of query("WAITING")) feeders.push(String(sk));
      return feeders;
    },
    async setWaiting(feeder, waits) {
      const Key = { pk: "WAITING", sk: feeder };
      await (waits ? put(Key) : db.send(new DeleteCommand({ TableName, Key })));
    },
    async publish(outage, at) {
      const { outageId, startedAt, state } = outage;
      const there = await readOutage(outageId);
      const told = there?.told ?? [];
      const tells = isTold(state, told);
      const document = packed(outage);
      if (tells) {
        const sk = cursorOf(at, eventIdOf(outage));
        await put({ pk: `FEED#${dayText(at)}`, sk, document, expires: expiresAt(at, FEED_DAYS) });
      }
      const expires = expiresAt(startedAt, KEPT_DAYS);
      await put({ pk: `DAY#${dayText(startedAt)}`, sk: cursorOf(startedAt, outageId), expires });
      const newest = there === undefined || there.version < outage.version ? document : packed(there.document);
      const version = Math.max(outage.version, there?.version ?? 0);
      await put({ ...outageKey(outageId), document: newest, version, told: tells ? [...told, state] : told, expires });
      return tellsAgain(outage, there);
    },
    outage: async (outageId) => (await readOutage(outageId))?.document,
    async within(from, to, limit) {
      const ids: OutageId[] = [];
      for (let day = dayText(to); day >= dayText(from) && ids.length < limit; day = dayText(Date.parse(day) - 1))
        for await (const { sk } of query(`DAY#${day}`, { newestFirst: true })) {
          const [at = "", id] = String(sk).split("#");
          if (Number(at) < from || Number(at) > to) continue;
          ids.push(OutageId.parse(id));
          if (ids.length === limit) break;
        }
      const found: (Outage | undefined)[] = [];
      await eachOf([...ids.entries()], READS_MAX, async ([index, id]) => {
        found[index] = (await readOutage(id))?.document;
      });
      return found.filter((outage) => outage !== undefined);
    },
    async events(after, limit, now) {
      const events: OutageEvent[] = [];
      const oldest = now - FEED_DAYS * DAY_MS;
      const from = Math.max(oldest, Number(after.split("#")[0]) || 0);
      for (let at = Date.parse(dayText(from)); at <= now && events.length < limit; at += DAY_MS)
        for await (const item of query(`FEED#${dayText(at)}`, { after })) {
          const { sk, document } = StoredEvent.parse(item);
          events.push({ cursor: sk, eventId: eventIdOf(document), state: document.state, outage: document });
          if (events.length === limit) break;
        }
      return events;
    },
    async nodesOf(feeder) {
      const nodes: ElectricalNode[] = [];
      for await (const { node } of query(`TREE#${feeder}`)) nodes.push(ElectricalNode.parse(node));
      return nodes;
    },
    async putNodes(nodes) {
      await eachOf(nodes, WRITES_MAX, async (node) => {
        await put({ ...nodeKey(node.feeder, node.node), node });
      });
    },
    dropNode: (feeder, node) =>
      heldCondition(
        db.send(
          new DeleteCommand({
            TableName,
            Key: nodeKey(feeder, node),
            ConditionExpression: "attribute_exists(pk)",
          }),
        ),
      ),
  };
}

const CHECK_DAYS = 400;
const checkKey = (checkId: string) => ({ pk: `CHECK#${checkId}`, sk: "check" });
const StoredCheck = z.object({ check: PowerCheck });

/** Checks of calls, in the same table: `CHECK#<id>` / `check`. */
export const dynamoPowerChecks = (db: DynamoDBDocumentClient, TableName: string) => ({
  async read(checkId: string): Promise<PowerCheck | undefined> {
    const { Item } = await db.send(new GetCommand({ TableName, Key: checkKey(checkId), ConsistentRead: true }));
    return Item === undefined ? undefined : StoredCheck.parse(Item).check;
  },
  async put(check: PowerCheck): Promise<void> {
    const expires = expiresAt(check.askedAt, CHECK_DAYS);
    await db.send(new PutCommand({ TableName, Item: { ...checkKey(check.checkId), check, expires } }));
  },
});
