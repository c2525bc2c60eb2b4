import { z } from "zod";
import { indexFleet } from "../../shared/registry/index-fleet.ts";
import { s3Client } from "../adapters/aws-clients.ts";
import { documentClient } from "../adapters/document-client.ts";
import { duckdb } from "../adapters/duckdb.ts";
import { dynamoAccess } from "../adapters/dynamo-access.ts";
import { dynamoFleetFiles } from "../adapters/dynamo-fleet-files.ts";
import { dynamoRegistry } from "../adapters/dynamo-registry.ts";
import { dynamoSegments } from "../adapters/dynamo-segments.ts";
import { eventHandler } from "../adapters/pipeline-event.ts";
import { s3Objects, scratch } from "../adapters/s3-lake.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { systemRandom } from "../adapters/system-random.ts";

const env = settings({ REGISTRY_TABLE: Setting, ACCESS_TABLE: Setting, LAKE_BUCKET: Setting });
const db = documentClient();
const ports = {
  files: dynamoFleetFiles(db, env.REGISTRY_TABLE),
  segments: dynamoSegments(db, env.REGISTRY_TABLE),
  access: dynamoAccess(db, env.ACCESS_TABLE),
  registry: dynamoRegistry(db, env.REGISTRY_TABLE),
  columnar: duckdb({ memoryMb: 1024, timeoutMs: 200_000 }),
  objects: s3Objects(s3Client(), env.LAKE_BUCKET),
  scratch,
  random: systemRandom,
  clock: systemClock,
};
/** The longest that one file takes, ms. */
const MARGIN_MS = 240_000;

/** Fleet files of which a meter has changed; what is not reached now, the next tick goes on with. */
export const handler = eventHandler(z.object({}), async (_, context) => {
  const facts = await indexFleet(ports, () => context.getRemainingTimeInMillis() > MARGIN_MS);
  return facts.built + facts.lost === 0 ? undefined : { ...facts };
});
