import type { SQSRecord } from "aws-lambda";
import { ZodError, z } from "zod";
import { eventKeeper } from "../../shared/events/keep-events.ts";
import { toldTimeline } from "../../shared/events/tell-events.ts";
import { toldLedger } from "../../shared/events/tell-jobs.ts";
import { timelineDays } from "../../shared/events/timeline.ts";
import { powerNewsKeeper } from "../../shared/outage/keep-power-news.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { tariffKeeper } from "../../shared/pricing/meter-tariffs.ts";
import { ingestBatch } from "../../shared/readings/ingest-batch.ts";
import { fleetColumnKeeper } from "../../shared/readings/keep-fleet-columns.ts";
import { identityKeeper } from "../../shared/readings/keep-identities.ts";
import { notHeldKeeper } from "../../shared/readings/not-held.ts";
import { outcomeKeeper } from "../../shared/switching/audit-orders.ts";
import { auditOfEnvironment } from "../adapters/audit-ports.ts";
import { s3Client, sqsClient } from "../adapters/aws-clients.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoAccess } from "../adapters/dynamo-access.ts";
import { dynamoDayBlocks } from "../adapters/dynamo-day-blocks.ts";
import { dynamoFleetColumns } from "../adapters/dynamo-fleet-columns.ts";
import { dynamoFleetFiles } from "../adapters/dynamo-fleet-files.ts";
import { dynamoLakeMarks } from "../adapters/dynamo-lake.ts";
import { dynamoLedger } from "../adapters/dynamo-ledger.ts";
import { dynamoMeterTariffs } from "../adapters/dynamo-meter-tariffs.ts";
import { dynamoMissingRecords } from "../adapters/dynamo-missing-records.ts";
import { dynamoOutages } from "../adapters/dynamo-outages.ts";
import { dynamoPushCounters } from "../adapters/dynamo-push-counters.ts";
import { dynamoAlarms, dynamoTimeline } from "../adapters/dynamo-timeline.ts";
import { tellerOfEnvironment } from "../adapters/event-teller.ts";
import { sqsHandler } from "../adapters/pipeline-sqs.ts";
import { s3Batches } from "../adapters/s3-batches.ts";
import { retentionDays, Setting, settings } from "../adapters/settings.ts";
import { parking } from "../adapters/sqs-parking.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { systemRandom } from "../adapters/system-random.ts";
import { metrics } from "../adapters/telemetry.ts";

const env = settings({
  ACCESS_TABLE: Setting,
  REGISTRY_TABLE: Setting,
  LEDGER_TABLE: Setting,
  READINGS_TABLE: Setting,
  TIMELINE_TABLE: Setting,
  OUTAGES_TABLE: Setting,
  TIMELINE_DAYS: z.string(),
  BLOCK_DAYS: z.string(),
  EVIDENCE_BUCKET: Setting,
  RESULTS_PARKED_QUEUE_URL: Setting,
});
const db = documentClient();
const teller = tellerOfEnvironment();
const timeline = toldTimeline(dynamoTimeline(db, env.TIMELINE_TABLE, timelineDays(env.TIMELINE_DAYS)), teller);
const fleetFiles = dynamoFleetFiles(db, env.REGISTRY_TABLE);
const ports = {
  ledger: toldLedger(dynamoLedger(db, env.LEDGER_TABLE, systemClock.now), teller),
  blocks: dynamoDayBlocks(db, env.READINGS_TABLE, retentionDays(env.BLOCK_DAYS)),
  lake: dynamoLakeMarks(db, env.READINGS_TABLE),
  batches: s3Batches(s3Client(), env.EVIDENCE_BUCKET),
  clock: systemClock,
  random: systemRandom,
  crypto: nodeCrypto,
  pushes: dynamoPushCounters(db, env.READINGS_TABLE),
  keepers: [
    notHeldKeeper(dynamoMissingRecords(db, env.READINGS_TABLE)),
    fleetColumnKeeper({
      columns: dynamoFleetColumns(db, env.READINGS_TABLE),
      clock: systemClock,
      random: systemRandom,
    }),
    powerNewsKeeper(dynamoOutages(db, env.OUTAGES_TABLE)), // behind the columns, which say what the news is
    eventKeeper({
      timeline,
      alarms: dynamoAlarms(db, env.TIMELINE_TABLE),
      crypto: nodeCrypto,
      teller,
    }),
    tariffKeeper(dynamoMeterTariffs(db, env.READINGS_TABLE), nodeCrypto),
    identityKeeper(dynamoAccess(db, env.ACCESS_TABLE), (segment) => fleetFiles.mark(segment, systemClock.now())),
    outcomeKeeper(auditOfEnvironment(), systemClock, timeline),
  ],
};
const park = parking(sqsClient(), env.RESULTS_PARKED_QUEUE_URL);
/** The queue parks after ten receives, without a reason; the one before says it. */
const RECEIVES_MAX = 9;

const isPoison = (error: unknown): boolean =>
  error instanceof ZodError ||
  error instanceof SyntaxError ||
  (error instanceof HeadraceError && error.retry === "never");

/** What a person waits for, and alarms, are not kept waiting by the bulk read that shares their batch. */
const isWaitedFor = ({ attributes: { MessageGroupId: lane } }: SQSRecord): boolean =>
  lane === "commands" || lane === "interactive" || lane === "alarms";

/** Results of bridges: evidence, readings, outcomes; only then is the message gone. */
export const handler = sqsHandler(async (body, record) => {
  try {
    const { bad, readings, outcomes: all, pushes, ...facts } = await ingestBatch(ports, body);
    if (pushes !== undefined) {
      metrics.addMetric("pushesTaken", "Count", pushes.new);
      if (pushes.replayed > 0) metrics.addMetric("pushesReplayed", "Count", pushes.replayed);
    }
    const { unproved, ...outcomes } = all;
    if (outcomes.unverified > 0) metrics.addMetric("unverifiedTasks", "Count", outcomes.unverified);
    return {
      ...facts,
      ...(bad.length === 0 ? {} : { bad: bad.slice(0, 10) }),
      ...readings,
      ...(pushes ?? { ...outcomes, ...(unproved.length === 0 ? {} : { unproved: unproved.length }) }),
    };
  } catch (error) {
    if (!isPoison(error) && Number(record.attributes.ApproximateReceiveCount) < RECEIVES_MAX) throw error;
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : "unknown";
    await park(body, reason.replaceAll(/\s+/g, " "));
    return { parked: reason.slice(0, 500) };
  }
}, isWaitedFor);
