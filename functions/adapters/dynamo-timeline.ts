import { type DynamoDBDocumentClient, PutCommand, paginateQuery, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { Alarm, type Alarms, hourOf } from "../../shared/events/alarm.ts";
import { type Timeline, TimelineEntry, type TimelineItem, type TimelineKind } from "../../shared/events/timeline.ts";
import { eachOf } from "../../shared/jobs/concurrency.ts";
import { seedOf } from "../../shared/ports/random.ts";
import { heldCondition } from "./dynamo-conditions.ts";

/**
 * The Timeline table. Entry: `M#<meterId>` / `<at, 15 digits>#<kind>#<id>`. Alarm: `A#<yyyy-mm-dd it came>#<0..15>` /
 * `<hour, 15 digits>#<event>#<meterId>`: one an hour, spread over shards since alarms come in storms. `expires`: epoch
 * seconds after which DynamoDB may delete an item.
 */
const DAY_MS = 86_400_000;
const WRITES_MAX = 24;
const SHARDS = 16;
const READS_MAX = 16;
const ALARM_DAYS = 400;

const instantText = (at: number): string => String(at).padStart(15, "0");
const dayText = (at: number): string => new Date(at).toISOString().slice(0, 10);
const alarmPartition = (day: string, shard: number): string => `A#${day}#${shard}`;
const expiresAt = (at: number, days: number): number => Math.floor((at + days * DAY_MS) / 1000);

/** Timelines on DynamoDB. `days`: for how long each kind is kept. */
export function dynamoTimeline(
  db: DynamoDBDocumentClient,
  TableName: string,
  days: ReadonlyMap<TimelineKind, number> = new Map(),
): Timeline {
  const itemOf = ({ meterId, id, entry }: TimelineItem) => {
    const kept = days.get(entry.kind);
    return {
      pk: `M#${meterId}`,
      sk: `${instantText(entry.at)}#${entry.kind}#${id}`,
      entry,
      ...(kept === undefined ? {} : { expires: expiresAt("receivedAt" in entry ? entry.receivedAt : entry.at, kept) }),
    };
  };
  /** What another batch brought stays; what names no batch is the same whoever writes it. */
  const put = (item: TimelineItem): PutCommand => {
    const batch = "batch" in item.entry ? item.entry.batch : undefined;
    return new PutCommand({
      TableName,
      Item: itemOf(item),
      ...(batch === undefined
        ? {}
        : {
            ConditionExpression: "attribute_not_exists(pk) OR #entry.#batch = :batch",
            ExpressionAttributeNames: { "#entry": "entry", "#batch": "batch" },
            ExpressionAttributeValues: { ":batch": batch },
          }),
    });
  };
  return {
    async add(items) {
      const fresh = new Set<TimelineItem>();
      await eachOf(items, WRITES_MAX, async (item) => {
        if (days.get(item.entry.kind) === 0 || (await heldCondition(db.send(put(item))))) fresh.add(item);
      });
      return items.filter((item) => fresh.has(item));
    },
    async of(meterId, from, to, limit) {
      const found: TimelineEntry[] = [];
      let start: Record<string, unknown> | undefined;
      do {
        const { Items = [], LastEvaluatedKey } = await db.send(
          new QueryCommand({
            TableName,
            KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :to",
            ExpressionAttributeValues: {
              ":pk": `M#${meterId}`,
              ":from": instantText(from + 1),
              ":to": `${instantText(to)}#~`,
            },
            ScanIndexForward: false,
            ConsistentRead: true,
            Limit: limit,
            ...(start === undefined ? {} : { ExclusiveStartKey: start }),
          }),
        );
        const last = found.length < limit ? undefined : found[limit - 1]?.at;
        for (const item of Items) {
          const entry = TimelineEntry.parse(item.entry);
          const cut = last ?? found[limit - 1]?.at;
          if (cut !== undefined && entry.at < cut) return found;
          found.push(entry);
        }
        start = LastEvaluatedKey;
      } while (start !== undefined);
      return found;
    },
  };
}

/** Alarms on DynamoDB, in the same table. */
export function dynamoAlarms(db: DynamoDBDocumentClient, TableName: string): Alarms {
  return {
    async raise(alarms) {
      const kept = new Set<Alarm>();
      await eachOf(alarms, WRITES_MAX, async (alarm) => {
        const { meterId, event, receivedAt } = alarm;
        const held = await heldCondition(
          db.send(
            new PutCommand({
              TableName,
              Item: {
                pk: alarmPartition(dayText(receivedAt), seedOf(meterId) % SHARDS),
                sk: `${instantText(hourOf(receivedAt))}#${event}#${meterId}`,
                alarm,
                expires: expiresAt(receivedAt, ALARM_DAYS),
              },
              ConditionExpression: "attribute_not_exists(pk) OR (#alarm.#at = :at AND #alarm.receivedAt = :receivedAt)",
              ExpressionAttributeNames: { "#alarm": "alarm", "#at": "at" },
              ExpressionAttributeValues: { ":at": alarm.at, ":receivedAt": receivedAt },
            }),
          ),
        );
        if (held) kept.add(alarm);
      });
      return alarms.filter((alarm) => kept.has(alarm));
    },
    async *within(from, to) {
      const partitions: string[] = [];
      for (let day = Math.floor(from / DAY_MS) * DAY_MS; day <= to; day += DAY_MS)
        for (let shard = 0; shard < SHARDS; shard++) partitions.push(alarmPartition(dayText(day), shard));
      const found: Alarm[] = [];
      await eachOf(partitions, READS_MAX, async (pk) => {
        const pages = paginateQuery(
          { client: db },
          {
            TableName,
            KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :to",
            ExpressionAttributeValues: {
              ":pk": pk,
              ":from": instantText(hourOf(from)),
              ":to": `${instantText(hourOf(to))}#~`,
            },
          },
        );
        for await (const page of pages) for (const { alarm } of page.Items ?? []) found.push(Alarm.parse(alarm));
      });
      for (const alarm of found) if (alarm.receivedAt > from && alarm.receivedAt <= to) yield alarm;
    },
  };
}
