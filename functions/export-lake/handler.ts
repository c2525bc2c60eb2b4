import { z } from "zod";
import { cleanLake, exportLake } from "../../shared/readings/export-lake.ts";
import { s3Client } from "../adapters/aws-clients.ts";
import { documentClient } from "../adapters/document-client.ts";
import { duckdb } from "../adapters/duckdb.ts";
import { dynamoDayBlocks } from "../adapters/dynamo-day-blocks.ts";
import { dynamoLakeMarks, dynamoLakePointers } from "../adapters/dynamo-lake.ts";
import { eventHandler } from "../adapters/pipeline-event.ts";
import { s3Objects, scratch } from "../adapters/s3-lake.ts";
import { retentionDays, Setting, settings } from "../adapters/settings.ts";
import { productClock } from "../adapters/system-clock.ts";
import { systemRandom } from "../adapters/system-random.ts";

const env = settings({ READINGS_TABLE: Setting, LAKE_BUCKET: Setting, BLOCK_DAYS: z.string() });
const db = documentClient();
const ports = {
  marks: dynamoLakeMarks(db, env.READINGS_TABLE),
  pointers: dynamoLakePointers(db, env.READINGS_TABLE),
  objects: s3Objects(s3Client(), env.LAKE_BUCKET),
  blocks: dynamoDayBlocks(db, env.READINGS_TABLE),
  columnar: duckdb({ memoryMb: 1200, timeoutMs: 300_000, threads: 2 }),
  scratch,
  random: systemRandom,
  clock: productClock,
  blockDays: retentionDays(env.BLOCK_DAYS),
};
/** The longest that one file takes, ms. */
const MARGIN_MS = 240_000;

/** Lake files of which something was stored since; what is not reached now, the next tick goes on with. */
export const handler = eventHandler(z.object({}), async (_, context) => {
  const facts = await exportLake(ports, { mayGoOn: () => context.getRemainingTimeInMillis() > MARGIN_MS });
  const removed = await cleanLake(ports);
  return facts.written + facts.lost + removed === 0 ? undefined : { ...facts, removed };
});
