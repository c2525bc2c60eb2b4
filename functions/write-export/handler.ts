import { z } from "zod";
import type { MeterId } from "../../shared/metering/meter.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { createDaily, writeExport } from "../../shared/readings/write-export.ts";
import { lambdaClient, s3Client } from "../adapters/aws-clients.ts";
import { documentClient } from "../adapters/document-client.ts";
import { duckdb } from "../adapters/duckdb.ts";
import { dynamoAccess } from "../adapters/dynamo-access.ts";
import { dynamoDayBlocks } from "../adapters/dynamo-day-blocks.ts";
import { dynamoExports } from "../adapters/dynamo-exports.ts";
import { dynamoLakeMarks, dynamoLakePointers } from "../adapters/dynamo-lake.ts";
import { dynamoRegistry } from "../adapters/dynamo-registry.ts";
import { invoker } from "../adapters/lambda-invoker.ts";
import { metersAt } from "../adapters/meters-at.ts";
import { eventHandler } from "../adapters/pipeline-event.ts";
import { s3Objects, scratch } from "../adapters/s3-lake.ts";
import { retentionDays, Setting, settings } from "../adapters/settings.ts";
import { productClock } from "../adapters/system-clock.ts";
import { systemRandom } from "../adapters/system-random.ts";

const env = settings({
  READINGS_TABLE: Setting,
  REGISTRY_TABLE: Setting,
  ACCESS_TABLE: Setting,
  LAKE_BUCKET: Setting,
  EXPORT_BUCKET: Setting,
  BLOCK_DAYS: z.string(),
  DAILY_EXPORT: z.enum(["none", "csv", "parquet"]),
  WRITE_EXPORT_FUNCTION: Setting,
});
const db = documentClient();
const s3 = s3Client();
const access = dynamoAccess(db, env.ACCESS_TABLE);
const registry = dynamoRegistry(db, env.REGISTRY_TABLE);
const exports = dynamoExports(db, env.READINGS_TABLE);
const goOn = invoker(lambdaClient(), env.WRITE_EXPORT_FUNCTION);
const ports = {
  exports,
  marks: dynamoLakeMarks(db, env.READINGS_TABLE),
  pointers: dynamoLakePointers(db, env.READINGS_TABLE),
  objects: s3Objects(s3, env.LAKE_BUCKET),
  out: s3Objects(s3, env.EXPORT_BUCKET),
  blocks: dynamoDayBlocks(db, env.READINGS_TABLE),
  columnar: duckdb({ memoryMb: 1800, timeoutMs: 300_000, threads: 2 }),
  scratch,
  random: systemRandom,
  clock: productClock,
  blockDays: retentionDays(env.BLOCK_DAYS),
  async metersAt(places: readonly { segment: number; slot: number }[]) {
    const ids = await metersAt(access, places);
    return places.flatMap((place, index) => {
      const meterId = ids[index];
      return meterId === undefined ? [] : [{ ...place, meterId }];
    });
  },
  async placesOf(meterIds: readonly string[]) {
    const meters = await registry.meters(meterIds as readonly MeterId[]);
    return [...meters].map(([meterId, { place }]) => ({ meterId, ...place }));
  },
};
/** The longest that one file takes, ms. */
const MARGIN_MS = 300_000;
const LOOKED_AT = 50;

/** One export, or (started by the tick) the daily one and all that were left unfinished. */
export const handler = eventHandler(z.object({ exportId: z.string().optional() }), async ({ exportId }, context) => {
  if (exportId === undefined && env.DAILY_EXPORT !== "none") await createDaily(ports, env.DAILY_EXPORT);
  const open =
    exportId === undefined
      ? (await exports.list(LOOKED_AT)).filter(({ state }) => state === "running").map((one) => one.exportId)
      : [exportId];
  const mayGoOn = (): boolean => context.getRemainingTimeInMillis() > MARGIN_MS;
  for (const one of open)
    try {
      if (!(await writeExport(ports, one, mayGoOn))) {
        await goOn({ exportId: one });
        break;
      }
    } catch (error) {
      if (!(error instanceof HeadraceError) || error.retry === "later") throw error;
      const state = await exports.read(one);
      if (state !== undefined) await exports.write(state, { state: "failed", failure: error.message });
    }
  return open.length === 0 ? undefined : { exports: open.length };
});
