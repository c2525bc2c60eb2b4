import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { FactSource, MeterSearchPorts } from "../../shared/queries/find-meters.ts";
import { deviceRows, type FactKind } from "../../shared/queries/meter-row.ts";
import { DAY_MS, dayOf } from "../../shared/readings/day-block.ts";
import { dynamoAccess } from "./dynamo-access.ts";
import { dynamoFleetColumns } from "./dynamo-fleet-columns.ts";
import { dynamoMissingRecords } from "./dynamo-missing-records.ts";
import { dynamoRegistry } from "./dynamo-registry.ts";
import { productClock } from "./system-clock.ts";

/** Facts beyond the registry. */
export function dynamoFacts(
  db: DynamoDBDocumentClient,
  tables: { readonly readings: string; readonly access: string },
): FactSource {
  const missing = dynamoMissingRecords(db, tables.readings);
  const columns = dynamoFleetColumns(db, tables.readings);
  const access = dynamoAccess(db, tables.access);
  return {
    async of(segment, slots, kinds, nowMs) {
      const asks = <T>(kind: FactKind, read: () => Promise<T>) => (kinds.includes(kind) ? read() : undefined);
      const [fast, record, items] = await Promise.all([
        asks("columns", () => columns.read(segment)),
        asks("missing", () => missing.read(segment, dayOf(nowMs) - DAY_MS)),
        asks("devices", () => access.readMany(segment, slots)),
      ]);
      return {
        ...(kinds.includes("columns") ? { columns: fast?.columns } : {}),
        ...(kinds.includes("missing") ? { missing: record } : {}),
        ...(items === undefined ? {} : { devices: deviceRows(items) }),
      };
    },
  };
}

/** What a search of meters reads. */
export const meterSearch = (
  db: DynamoDBDocumentClient,
  tables: { readonly registry: string; readonly readings: string; readonly access: string },
): MeterSearchPorts => ({
  directory: dynamoRegistry(db, tables.registry),
  facts: dynamoFacts(db, tables),
  now: productClock.now,
});
