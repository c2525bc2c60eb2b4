import { z } from "zod";
import { keepCounts } from "../../shared/kpi/fleet-history.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoFleetColumns } from "../adapters/dynamo-fleet-columns.ts";
import { dynamoFleetHistory } from "../adapters/dynamo-fleet-history.ts";
import { dynamoSegments } from "../adapters/dynamo-segments.ts";
import { eventHandler } from "../adapters/pipeline-event.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { productClock } from "../adapters/system-clock.ts";

const env = settings({ REGISTRY_TABLE: Setting, READINGS_TABLE: Setting });
const db = documentClient();
const ports = {
  segments: dynamoSegments(db, env.REGISTRY_TABLE),
  columns: dynamoFleetColumns(db, env.READINGS_TABLE),
  history: dynamoFleetHistory(db, env.READINGS_TABLE),
};

/** Counts the fleet where that is due: for large fleets, whose counts the API shows, and for the history of days. */
export const handler = eventHandler(z.object({}), async () =>
  (await keepCounts(ports, productClock.now())) === "counted" ? { counted: true } : undefined,
);
