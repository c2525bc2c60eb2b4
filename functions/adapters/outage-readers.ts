import { documentClient } from "./document-client.ts";
import { dynamoAccess } from "./dynamo-access.ts";
import { dynamoFleetColumns } from "./dynamo-fleet-columns.ts";
import { dynamoOutages } from "./dynamo-outages.ts";
import { dynamoProfiles } from "./dynamo-profiles.ts";
import { dynamoSegments } from "./dynamo-segments.ts";
import { feederMeters } from "./feeder-meters.ts";
import { Setting, settings } from "./settings.ts";
import { productClock } from "./system-clock.ts";

/** Outages, what is known of meters' supply, and which meters a feeder has; as the environment names their tables. */
export function outageReaders() {
  const env = settings({
    OUTAGES_TABLE: Setting,
    REGISTRY_TABLE: Setting,
    ACCESS_TABLE: Setting,
    READINGS_TABLE: Setting,
  });
  const db = documentClient();
  return {
    outages: dynamoOutages(db, env.OUTAGES_TABLE),
    columns: dynamoFleetColumns(db, env.READINGS_TABLE),
    meters: feederMeters({
      segments: dynamoSegments(db, env.REGISTRY_TABLE),
      access: dynamoAccess(db, env.ACCESS_TABLE),
      profiles: dynamoProfiles(db, env.REGISTRY_TABLE),
      now: productClock.now,
    }),
  };
}
