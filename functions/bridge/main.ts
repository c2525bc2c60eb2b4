import { randomBytes } from "node:crypto";
import { z } from "zod";
import { startBridge } from "../../shared/bridge/bridge.ts";
import { driverRegistry } from "../../shared/bridge/driver-registry.ts";
import { cachedProfiles } from "../../shared/bridge/profiles.ts";
import { dlmsDriver } from "../../shared/dlms/driver.ts";
import type { Lane } from "../../shared/jobs/lane.ts";
import { SystemTitle } from "../../shared/metering/meter.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { toHex } from "../../shared/ports/octets.ts";
import type { Random } from "../../shared/ports/random.ts";
import { keyVault } from "../../shared/security/key-vault.ts";
import { s3Client, sqsClient } from "../adapters/aws-clients.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoAccess } from "../adapters/dynamo-access.ts";
import { dynamoAuthority } from "../adapters/dynamo-authority.ts";
import { dynamoLedger } from "../adapters/dynamo-ledger.ts";
import { dynamoProfiles } from "../adapters/dynamo-profiles.ts";
import { dynamoWayPermits } from "../adapters/dynamo-way-permits.ts";
import { vaultOfEnvironment } from "../adapters/key-vault.ts";
import { responseClock } from "../adapters/response-clock.ts";
import { s3Batches } from "../adapters/s3-batches.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { sqsLaneReceiver } from "../adapters/sqs-lane-receiver.ts";
import { parking } from "../adapters/sqs-parking.ts";
import { sqsResults, sqsResultsWaiting } from "../adapters/sqs-results.ts";
import { productClock, systemClock } from "../adapters/system-clock.ts";
import { factsOf } from "../adapters/telemetry.ts";
import { watchAuthority } from "./authority-watch.ts";
import { type Health, serveHealth } from "./health.ts";
import { logger, publishMetrics, sliceLog } from "./slice-log.ts";
import { tcpDial } from "./tcp-dial.ts";

/** The bridge as a process: sockets, queues, signals and drain around `shared/bridge`. */

/** Running sessions may go on for so long after SIGTERM, ms. */
const GRACE_MS = 60_000;
/** Then all must be at rest: the platform kills at 115 s. */
const DRAIN_MS = 105_000;
const METRICS_MS = 60_000;

const env = settings({
  ACCESS_TABLE: Setting,
  REGISTRY_TABLE: Setting,
  LEDGER_TABLE: Setting,
  AUTHORITY_TABLE: Setting,
  EVIDENCE_BUCKET: Setting,
  COMMANDS_QUEUE_URL: z.url(),
  INTERACTIVE_QUEUE_URL: z.url(),
  URGENT_QUEUE_URL: z.url(),
  BULK_QUEUE_URL: z.url(),
  IMAGES_QUEUE_URL: z.url(),
  RESULTS_QUEUE_URL: z.url(),
  COMMANDS_PARKED_QUEUE_URL: z.url(),
  INTERACTIVE_PARKED_QUEUE_URL: z.url(),
  URGENT_PARKED_QUEUE_URL: z.url(),
  BULK_PARKED_QUEUE_URL: z.url(),
  IMAGES_PARKED_QUEUE_URL: z.url(),
  CLIENT_SYSTEM_TITLE: SystemTitle,
  HEALTH_PORT: z.coerce.number().int().min(0).max(65_535),
  MAX_SESSIONS: z.coerce.number().int().min(8).max(8_192).default(256),
  AWS_REGION: Setting.optional(),
});

const fatal = (what: string) => (error: unknown) => {
  logger.critical(what, { fault: factsOf(error) });
  process.exit(1);
};
process.on("uncaughtException", fatal("an exception that nobody caught"));
process.on("unhandledRejection", fatal("a rejection that nobody handled"));

const awsClock = responseClock();
const db = documentClient();
const sqs = sqsClient();
const s3 = s3Client();
for (const client of [db, sqs, s3]) awsClock.observe(client);

const stopped = new AbortController();
const authority = watchAuthority(
  dynamoAuthority(db, env.AUTHORITY_TABLE),
  env.AWS_REGION,
  systemClock,
  stopped.signal,
  (error) => logger.warn("the active epoch cannot be read", { fault: factsOf(error) }),
);
const random: Random = {
  uint32: () => randomBytes(4).readUInt32LE(),
  octets: (length) => new Uint8Array(randomBytes(length)),
};
const profiles = dynamoProfiles(db, env.REGISTRY_TABLE);

const bridgeId = `b${toHex(random.octets(8))}`; // new with every start, so that batch names are too

const parkings: Readonly<Record<Lane, ReturnType<typeof parking>>> = {
  commands: parking(sqs, env.COMMANDS_PARKED_QUEUE_URL),
  interactive: parking(sqs, env.INTERACTIVE_PARKED_QUEUE_URL),
  urgent: parking(sqs, env.URGENT_PARKED_QUEUE_URL),
  bulk: parking(sqs, env.BULK_PARKED_QUEUE_URL),
  images: parking(sqs, env.IMAGES_PARKED_QUEUE_URL),
};

const bridge = startBridge(
  {
    clock: systemClock,
    sessionClock: productClock,
    random,
    crypto: nodeCrypto,
    ledger: dynamoLedger(db, env.LEDGER_TABLE),
    access: dynamoAccess(db, env.ACCESS_TABLE),
    wayPermits: dynamoWayPermits(db, env.ACCESS_TABLE),
    activeEpoch: authority.epoch,
    profiles: cachedProfiles((name, version) => profiles.version(name, version), systemClock),
    drivers: driverRegistry([dlmsDriver]),
    vault: keyVault(vaultOfEnvironment().vault),
    dial: tcpDial(productClock),
    clientSystemTitle: env.CLIENT_SYSTEM_TITLE,
    receivers: {
      commands: sqsLaneReceiver(sqs, env.COMMANDS_QUEUE_URL),
      interactive: sqsLaneReceiver(sqs, env.INTERACTIVE_QUEUE_URL),
      urgent: sqsLaneReceiver(sqs, env.URGENT_QUEUE_URL),
      bulk: sqsLaneReceiver(sqs, env.BULK_QUEUE_URL),
      images: sqsLaneReceiver(sqs, env.IMAGES_QUEUE_URL),
    },
    results: { queue: sqsResults(sqs, env.RESULTS_QUEUE_URL), batches: s3Batches(s3, env.EVIDENCE_BUCKET) },
    resultsWaiting: sqsResultsWaiting(sqs, env.RESULTS_QUEUE_URL),
    park: (lane, body, reason) => parkings[lane](body, reason),
    bridgeId,
    mayReceive: () => authority.isOurs && awsClock.isRight,
  },
  sliceLog,
  env.MAX_SESSIONS,
);

let draining = false;
const health = (): Health => ({
  state: draining ? "draining" : awsClock.isRight ? "working" : "clock-wrong",
  openSlices: bridge.openSlices,
  busySessions: bridge.busySessions,
});
const server = await serveHealth(env.HEALTH_PORT, health);
const reporting = setInterval(publishMetrics, METRICS_MS);
logger.info("bridge is up", { bridgeId, healthPort: server.port, maxSessions: env.MAX_SESSIONS });

async function shutDown(signal: string): Promise<void> {
  if (draining) return;
  draining = true;
  const begun = Date.now();
  logger.info("draining", { signal, openSlices: bridge.openSlices, busySessions: bridge.busySessions });
  setTimeout(() => {
    logger.critical("not at rest in time", { openSlices: bridge.openSlices });
    process.exit(1);
  }, DRAIN_MS).unref();
  await bridge.drain(GRACE_MS);
  stopped.abort();
  clearInterval(reporting);
  publishMetrics();
  server.close();
  const { user, system } = process.cpuUsage();
  logger.info("drained", { durationMs: Date.now() - begun, cpuMs: Math.round((user + system) / 1000) });
  process.exit(0);
}
process.on("SIGTERM", () => void shutDown("SIGTERM"));
process.on("SIGINT", () => void shutDown("SIGINT"));
