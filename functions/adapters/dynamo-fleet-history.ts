import { type DynamoDBDocumentClient, GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { z } from "zod";
import { FleetCounts } from "../../shared/kpi/count-fleet.ts";
import type { CountedFleet, FleetHistory } from "../../shared/kpi/fleet-history.ts";
import { heldCondition } from "./dynamo-conditions.ts";
import { partitionItems } from "./partition-items.ts";

/** In the Readings table: `KPI` / `now`: the fleet as counted last; `KPI` / `<yyyy-mm-dd>`: as counted first after that UTC day. */
const PARTITION = "KPI";
const LATEST = { pk: PARTITION, sk: "now" };
const dayText = (day: number): string => new Date(day).toISOString().slice(0, 10);

const Stored = z.object({ sk: z.string(), asOf: z.int(), segments: z.int(), counts: FleetCounts });
function counted(item: unknown): CountedFleet & { readonly sk: string } {
  const { sk, asOf, segments, counts } = Stored.parse(item);
  return { sk, asOf, segments, counts };
}

/** Counts of the fleet on DynamoDB. */
export const dynamoFleetHistory = (db: DynamoDBDocumentClient, TableName: string): FleetHistory => ({
  async latest() {
    const { Item } = await db.send(new GetCommand({ TableName, Key: LATEST, ConsistentRead: true }));
    if (Item === undefined) return undefined;
    const { sk: _, ...fleet } = counted(Item);
    return fleet;
  },
  async writeLatest({ asOf, segments, counts }) {
    await db.send(new PutCommand({ TableName, Item: { ...LATEST, asOf, segments, counts } }));
  },
  async days(from, to) {
    const found: (CountedFleet & { readonly day: number })[] = [];
    for await (const item of partitionItems(db, TableName, PARTITION, { from: dayText(from), to: dayText(to) })) {
      const { sk, ...fleet } = counted(item);
      found.push({ ...fleet, day: Date.parse(`${sk}T00:00:00Z`) });
    }
    return found;
  },
  async addDay(day, { asOf, segments, counts }) {
    await heldCondition(
      db.send(
        new PutCommand({
          TableName,
          Item: { pk: PARTITION, sk: dayText(day), asOf, segments, counts },
          ConditionExpression: "attribute_not_exists(pk)",
        }),
      ),
    );
  },
});
