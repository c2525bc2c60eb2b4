import { z } from "zod";
import { s3Client } from "./aws-clients.ts";
import { documentClient } from "./document-client.ts";
import { duckdb } from "./duckdb.ts";
import { dynamoFleetColumns } from "./dynamo-fleet-columns.ts";
import { dynamoFleetFiles } from "./dynamo-fleet-files.ts";
import { dynamoMissingRecords } from "./dynamo-missing-records.ts";
import { type FleetSearch, fleetSearch } from "./fleet-search.ts";
import { s3Objects } from "./s3-lake.ts";
import { Setting, settings } from "./settings.ts";
import { productClock } from "./system-clock.ts";

/** Of functions that have the layer of DuckDB, as the environment says. */
export function fleetSearchOfEnvironment(limits: Parameters<typeof duckdb>[0]): FleetSearch {
  const env = settings({
    REGISTRY_TABLE: Setting,
    READINGS_TABLE: Setting,
    LAKE_BUCKET: Setting,
    FLEET_FILES_ABOVE: z.coerce.number().int().min(0),
  });
  const db = documentClient();
  return fleetSearch({
    files: dynamoFleetFiles(db, env.REGISTRY_TABLE),
    objects: s3Objects(s3Client(), env.LAKE_BUCKET),
    columns: dynamoFleetColumns(db, env.READINGS_TABLE),
    missing: dynamoMissingRecords(db, env.READINGS_TABLE),
    columnar: duckdb(limits),
    now: productClock.now,
    above: env.FLEET_FILES_ABOVE,
  });
}
