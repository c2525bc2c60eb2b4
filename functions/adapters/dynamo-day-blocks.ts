import { type DynamoDBDocumentClient, PutCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { eachOf, piecesOf } from "../../shared/jobs/concurrency.ts";
import type { Place } from "../../shared/metering/meter.ts";
import type { BlockKey, DayBlocks, StoredBlock } from "../../shared/readings/blocks.ts";
import { DAY_MS, dayOf } from "../../shared/readings/day-block.ts";
import { batchGet } from "./batch-get.ts";
import { heldCondition } from "./dynamo-conditions.ts";
import { partitionItems } from "./partition-items.ts";

/**
 * The Readings table. Day block: `D#<segment>#<yyyy-mm-dd>` / `<slot, 4 digits>#<channel set>`, octets `b`, version `v`.
 * What was superseded lies beside it: `…#<channel set>#v#<loser>#<winner>`. One query is a meter's (or a segment's) day.
 */
const dayText = (day: number): string => new Date(day).toISOString().slice(0, 10);
const partition = (segment: number, day: number): string => `D#${segment}#${dayText(day)}`;
const slotText = (slot: number): string => String(slot).padStart(4, "0");
const itemKey = (key: BlockKey): { readonly pk: string; readonly sk: string } => ({
  pk: partition(key.segment, key.day),
  sk: `${slotText(key.slot)}#${key.set}`,
});

const GET_BATCH = 100; // keys in one BatchGetItem: so many pieces at once stay bounded
const CONCURRENT = 4;

const Item = z.object({
  pk: z.string().regex(/^D#\d+#\d{4}-\d\d-\d\d$/),
  sk: z.string().regex(/^\d{4}#[^#]+(?:#v#[0-9a-f]{16}#[0-9a-f]{16})?$/),
  b: z.instanceof(Uint8Array),
  v: z.int().min(1),
});

function stored(item: unknown): { readonly block: StoredBlock; readonly loser?: string; readonly winner?: string } {
  const { pk, sk, b, v } = Item.parse(item);
  const [, segment = "", day = ""] = pk.split("#");
  const [slot = "", set = "", , loser, winner] = sk.split("#");
  const key = { segment: Number(segment), day: Date.parse(`${day}T00:00:00Z`), slot: Number(slot), set };
  const block = { key, octets: b, version: v };
  return loser === undefined || winner === undefined ? { block } : { block, loser, winner };
}

/** Day blocks on DynamoDB. `keptDays`: so many days after their own they go; absent: never. */
export function dynamoDayBlocks(db: DynamoDBDocumentClient, TableName: string, keptDays?: number): DayBlocks {
  /** DynamoDB removes an item some time after `expires`, seconds. */
  const expiry = (day: number) => (keptDays === undefined ? {} : { expires: (day + keptDays * DAY_MS) / 1000 });
  /** `begins`: of the sort key; empty: the whole segment. */
  const itemsOf = async (segment: number, day: number, begins: string): Promise<ReturnType<typeof stored>[]> => {
    const found: ReturnType<typeof stored>[] = [];
    const range = begins === "" ? {} : { begins };
    for await (const item of partitionItems(db, TableName, partition(segment, day), range)) found.push(stored(item));
    return found;
  };
  const dayOfMeter = ({ segment, slot }: Place, day: number): Promise<ReturnType<typeof stored>[]> =>
    itemsOf(segment, day, `${slotText(slot)}#`);

  return {
    async read(keys) {
      const found: StoredBlock[] = [];
      await eachOf(piecesOf(keys, GET_BATCH), CONCURRENT, async (piece) => {
        found.push(...(await batchGet(db, TableName, piece.map(itemKey))).map((item) => stored(item).block));
      });
      return found;
    },
    async write(key, octets, was) {
      const written = await heldCondition(
        db.send(
          new PutCommand({
            TableName,
            Item: { ...itemKey(key), b: octets, v: was + 1, ...expiry(key.day) },
            ...(was === 0
              ? { ConditionExpression: "attribute_not_exists(pk)" }
              : { ConditionExpression: "v = :was", ExpressionAttributeValues: { ":was": was } }),
          }),
        ),
      );
      return written ? "written" : "conflict";
    },
    async keep({ key, loser, winner, octets }) {
      const { pk, sk } = itemKey(key);
      await db.send(
        new PutCommand({
          TableName,
          Item: { pk, sk: `${sk}#v#${loser}#${winner}`, b: octets, v: 1, ...expiry(key.day) },
        }),
      );
    },
    async ofMeter(place, from, to) {
      const days: number[] = [];
      for (let day = dayOf(from); day <= to; day += DAY_MS) days.push(day);
      const byDay = new Map<number, StoredBlock[]>();
      await eachOf(days, CONCURRENT, async (day) => {
        const items = await dayOfMeter(place, day);
        byDay.set(
          day,
          items.filter(({ loser }) => loser === undefined).map(({ block }) => block),
        );
      });
      return days.flatMap((day) => byDay.get(day) ?? []);
    },
    ofSegment: async (segment, day) =>
      (await itemsOf(segment, day, "")).filter(({ loser }) => loser === undefined).map(({ block }) => block),
    async supersededOf(place, day) {
      return (await dayOfMeter(place, day)).flatMap(({ block: { key, octets }, loser, winner }) =>
        loser === undefined || winner === undefined ? [] : [{ key, octets, loser, winner }],
      );
    },
  };
}
