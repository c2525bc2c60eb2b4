import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
} from "@aws-sdk/lib-dynamodb";
import { seedOf } from "../../shared/ports/random.ts";
import { Account, type AccountStore, ChargedDay, LedgerEntry } from "../../shared/prepayment/account.ts";
import { heldCondition } from "./dynamo-conditions.ts";
import { dynamoPolicies, dynamoTariffs } from "./dynamo-named.ts";
import { partitionItems } from "./partition-items.ts";

/**
 * The Accounts table. `A#<account>`: `account` the account with the end of its ledger; `E#<seq, 12 digits>` an archived entry and
 * `K#<key>` the same by its key; `D#<start of the UTC day, 15 digits>` what was charged for it. `METER#<meter>` / `account`: whose
 * it is. `SEG#<segment>` / `<account>` and `SEGMENTS#<segment mod 60>` / `<segment, 8 digits>`: whose turn it is.
 * `PENDING#<0..15>` / `<account>`: orders that have not ended. Tariffs and policies: `dynamo-named.ts`.
 */
const PENDING_SHARDS = 16;
const seqText = (seq: number): string => String(seq).padStart(12, "0");
const pkOf = (accountId: string): string => `A#${accountId}`;
const pendingKey = (accountId: string) => ({
  pk: `PENDING#${seedOf(accountId) % PENDING_SHARDS}`,
  sk: accountId,
});
const SEQ_MAX = 999_999_999_999;

export function dynamoAccounts(db: DynamoDBDocumentClient, TableName: string): AccountStore {
  const tariffs = dynamoTariffs(db, TableName);
  const policies = dynamoPolicies(db, TableName);
  const get = async (pk: string, sk: string): Promise<Record<string, unknown> | undefined> =>
    (await db.send(new GetCommand({ TableName, Key: { pk, sk }, ConsistentRead: true }))).Item;
  const put = (Item: Record<string, unknown>) => db.send(new PutCommand({ TableName, Item }));
  const putIf = (Item: Record<string, unknown>, ConditionExpression: string, values?: Record<string, unknown>) =>
    heldCondition(
      db.send(
        new PutCommand({
          TableName,
          Item,
          ConditionExpression,
          ...(values === undefined ? {} : { ExpressionAttributeValues: values }),
        }),
      ),
    );
  const keysOf = async (pk: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const { sk } of partitionItems(db, TableName, pk)) found.push(String(sk));
    return found;
  };
  const itemOf = (account: Account) => ({
    pk: pkOf(account.accountId),
    sk: "account",
    accountVersion: account.version,
    account,
  });
  return {
    create: async (account) => ((await putIf(itemOf(account), "attribute_not_exists(pk)")) ? "written" : "conflict"),
    async read(accountId) {
      const item = await get(pkOf(accountId), "account");
      return item === undefined ? undefined : Account.parse(item.account);
    },
    write: async (account, was) =>
      (await putIf(itemOf(account), "accountVersion = :was", { ":was": was })) ? "written" : "conflict",
    async archive(accountId, { entries, days }) {
      const pk = pkOf(accountId);
      await Promise.all([
        ...entries.flatMap((entry) => [
          put({ pk, sk: `E#${seqText(entry.seq)}`, entry }),
          put({ pk, sk: `K#${entry.key}`, entry }),
        ]),
        ...days.map((charged) =>
          putIf(
            { pk, sk: `D#${String(charged.day).padStart(15, "0")}`, seq: charged.seq, charged },
            "attribute_not_exists(pk) OR seq < :seq",
            { ":seq": charged.seq },
          ),
        ),
      ]);
    },
    async keyed(accountId, key) {
      const item = await get(pkOf(accountId), `K#${key}`);
      return item === undefined ? undefined : LedgerEntry.parse(item.entry);
    },
    async entries(accountId, before, limit) {
      const last = Math.min(before - 1, SEQ_MAX);
      if (last < 1) return [];
      const { Items = [] } = await db.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: "pk = :pk AND sk BETWEEN :from AND :to",
          ExpressionAttributeValues: {
            ":pk": pkOf(accountId),
            ":from": `E#${seqText(1)}`,
            ":to": `E#${seqText(last)}`,
          },
          ScanIndexForward: false,
          ConsistentRead: true,
          Limit: limit,
        }),
      );
      return Items.map(({ entry }) => LedgerEntry.parse(entry));
    },
    async chargedDay(accountId, day) {
      const item = await get(pkOf(accountId), `D#${String(day).padStart(15, "0")}`);
      return item === undefined ? undefined : ChargedDay.parse(item.charged);
    },
    async claim(meterId, accountId) {
      const pk = `METER#${meterId}`;
      if (await putIf({ pk, sk: "account", accountId }, "attribute_not_exists(pk)")) return accountId;
      return String((await get(pk, "account"))?.accountId ?? "");
    },
    async release(meterId, accountId) {
      await heldCondition(
        db.send(
          new DeleteCommand({
            TableName,
            Key: { pk: `METER#${meterId}`, sk: "account" },
            ConditionExpression: "accountId = :own",
            ExpressionAttributeValues: { ":own": accountId },
          }),
        ),
      );
    },
    async list({ accountId, segment }) {
      await put({ pk: `SEG#${segment}`, sk: accountId });
      await put({ pk: `SEGMENTS#${segment % 60}`, sk: String(segment).padStart(8, "0") });
    },
    segments: async (remainder) => (await keysOf(`SEGMENTS#${remainder}`)).map(Number),
    accountsOf: (segment) => keysOf(`SEG#${segment}`),
    async markPending(accountId) {
      await put(pendingKey(accountId));
    },
    async clearPending(accountId) {
      await db.send(new DeleteCommand({ TableName, Key: pendingKey(accountId) }));
    },
    async pending() {
      const shards = Array.from({ length: PENDING_SHARDS }, (_, shard) => keysOf(`PENDING#${shard}`));
      return (await Promise.all(shards)).flat().sort();
    },
    putTariff: (tariff) => tariffs.put(tariff),
    tariff: (name) => tariffs.read(name),
    tariffs: () => tariffs.list(),
    putPolicy: (policy) => policies.put(policy),
    policy: (name) => policies.read(name),
    policies: () => policies.list(),
  };
}
