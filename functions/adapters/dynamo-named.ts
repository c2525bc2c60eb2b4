import { DeleteCommand, type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { VtnConnection } from "../../shared/demand/openadr/ven-client.ts";
import { Calendar, type Calendars } from "../../shared/jobs/calendar.ts";
import { PrepaymentPolicy } from "../../shared/prepayment/policy.ts";
import { Tariff } from "../../shared/prepayment/tariff.ts";
import { Tariff as MeterTariff, type Tariffs } from "../../shared/pricing/tariff.ts";
import { type StoredQueries, StoredQuery } from "../../shared/queries/stored-query.ts";
import { heldCondition } from "./dynamo-conditions.ts";
import { partitionItems } from "./partition-items.ts";

/**
 * Few things with names, one partition a kind: in the Ledger table `QUERIES/<name>`, `CALENDARS/<name>`, `VTNS/<name>` and
 * `TARIFF-VERSIONS/<id>@<version>`, in the Accounts table `TARIFFS/<name>` and `POLICIES/<name>`.
 */
type Partition = "QUERIES" | "CALENDARS" | "VTNS" | "TARIFFS" | "POLICIES" | "TARIFF-VERSIONS";

function named<T extends { readonly name: string }>(
  db: DynamoDBDocumentClient,
  TableName: string,
  pk: Partition,
  parse: (value: unknown) => T,
) {
  const itemOf = (value: T) => ({ pk, sk: value.name, value });
  return {
    async create(value: T): Promise<"created" | "exists"> {
      const ConditionExpression = "attribute_not_exists(pk)";
      const put = db.send(new PutCommand({ TableName, Item: itemOf(value), ConditionExpression }));
      return (await heldCondition(put)) ? "created" : "exists";
    },
    async put(value: T): Promise<void> {
      await db.send(new PutCommand({ TableName, Item: itemOf(value) }));
    },
    async read(name: string): Promise<T | undefined> {
      const { Item } = await db.send(new GetCommand({ TableName, Key: { pk, sk: name }, ConsistentRead: true }));
      return Item === undefined ? undefined : parse(Item.value);
    },
    async list(): Promise<readonly T[]> {
      const found: T[] = [];
      for await (const { value } of partitionItems(db, TableName, pk)) found.push(parse(value));
      return found;
    },
    async remove(name: string): Promise<void> {
      await db.send(new DeleteCommand({ TableName, Key: { pk, sk: name } }));
    },
  };
}

export const dynamoQueries = (db: DynamoDBDocumentClient, TableName: string): StoredQueries =>
  named(db, TableName, "QUERIES", (value) => StoredQuery.parse(value));

export const dynamoTariffs = (db: DynamoDBDocumentClient, TableName: string) =>
  named(db, TableName, "TARIFFS", (value) => Tariff.parse(value));
export const dynamoPolicies = (db: DynamoDBDocumentClient, TableName: string) =>
  named(db, TableName, "POLICIES", (value) => PrepaymentPolicy.parse(value));

export const dynamoCalendars = (db: DynamoDBDocumentClient, TableName: string): Calendars =>
  named(db, TableName, "CALENDARS", (value) => Calendar.parse(value));

/** VTNs of others whose events the headend takes. */
export const dynamoVtns = (db: DynamoDBDocumentClient, TableName: string) =>
  named(db, TableName, "VTNS", (value) => VtnConnection.parse(value));

/** What meters are programmed with. */
export function dynamoTariffVersions(db: DynamoDBDocumentClient, TableName: string): Tariffs {
  const nameOf = (tariffId: string, version: number): string => `${tariffId}@${String(version).padStart(4, "0")}`;
  const Named = MeterTariff.extend({ name: z.string() });
  const store = named(db, TableName, "TARIFF-VERSIONS", (value) => Named.parse(value));
  const plain = ({ name: _, ...tariff }: z.infer<typeof Named>): MeterTariff => tariff;
  return {
    create: (tariff) => store.create({ ...tariff, name: nameOf(tariff.tariffId, tariff.version) }),
    async read(tariffId, version) {
      const found = await store.read(nameOf(tariffId, version));
      return found && plain(found);
    },
    list: async () => (await store.list()).map(plain),
  };
}
