import { BatchGetCommand, type DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { assert } from "../../shared/ports/errors.ts";

export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}
type Item = Record<string, unknown> & ItemKey;

const BATCH = 100;
const TRIES = 6;

/** Items by key, strongly consistent, in no order; absent ones are left out. What is throttled is asked for again. */
export async function batchGet(db: DynamoDBDocumentClient, table: string, keys: readonly ItemKey[]): Promise<Item[]> {
  const unique = [...new Map(keys.map((key) => [`${key.pk}\n${key.sk}`, { pk: key.pk, sk: key.sk }])).values()];
  const batches: Promise<Item[]>[] = [];
  for (let at = 0; at < unique.length; at += BATCH) batches.push(oneBatch(db, table, unique.slice(at, at + BATCH)));
  return (await Promise.all(batches)).flat();
}

async function oneBatch(db: DynamoDBDocumentClient, table: string, asked: readonly ItemKey[]): Promise<Item[]> {
  const found: Item[] = [];
  let keys: Record<string, unknown>[] = asked.map((key) => ({ ...key }));
  for (let attempt = 1; ; attempt++) {
    const answer = await db.send(
      new BatchGetCommand({ RequestItems: { [table]: { Keys: keys, ConsistentRead: true } } }),
    );
    found.push(...((answer.Responses?.[table] ?? []) as Item[]));
    keys = answer.UnprocessedKeys?.[table]?.Keys ?? [];
    if (keys.length === 0) return found;
    assert(attempt < TRIES, `expected all keys of a batch in ${TRIES} tries, ${keys.length} are left`);
    await new Promise((resolve) => setTimeout(resolve, 25 * 2 ** attempt));
  }
}
