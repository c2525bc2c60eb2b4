import { randomBytes } from "node:crypto";
import { z } from "zod";
import { startBridge } from "../../shared/bridge/bridge.ts";
import { driverRegistry } from "../../shared/bridge/driver-registry.ts";
import { datagramReader, fanOutOf } from "../../shared/bridge/fan-out.ts";
import { groupAnswers } from "../../shared/bridge/group-answers.ts";
import { cachedProfiles } from "../../shared/bridge/profiles.ts";
import { pushBatcher } from "../../shared/bridge/push-batcher.ts";
import { recall } from "../../shared/bridge/recall.ts";
import { relays } from "../../shared/bridge/relay-dial.ts";
import { relayTrace } from "../../shared/bridge/trace-relay.ts";
import { c1222Groups } from "../../shared/c1222/client/group-protocol.ts";
import { c1222Sleepers } from "../../shared/c1222/client/sleeper-protocol.ts";
import { c1222Driver } from "../../shared/c1222/driver.ts";
import { dlmsDriver } from "../../shared/dlms/driver.ts";
import type { Lane } from "../../shared/jobs/lane.ts";
import { ApTitleText } from "../../shared/metering/ap-title.ts";
import type { GroupProtocol } from "../../shared/metering/group.ts";
import { SystemTitle } from "../../shared/metering/meter.ts";
import { PushDestination } from "../../shared/metering/push-setting.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { toHex } from "../../shared/ports/octets.ts";
import type { Random } from "../../shared/ports/random.ts";
import { auditLog } from "../../shared/security/audit.ts";
import { keyVault } from "../../shared/security/key-vault.ts";
import { guardDesk } from "../../shared/switching/guard-desk.ts";
import { taskNames } from "../../shared/switching/order-gate.ts";
import { iotDataClient, s3Client, sqsClient } from "../adapters/aws-clients.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoAccess } from "../adapters/dynamo-access.ts";
import { dynamoAudit } from "../adapters/dynamo-audit.ts";
import { dynamoAuthority } from "../adapters/dynamo-authority.ts";
import { dynamoGroupRequests } from "../adapters/dynamo-group-requests.ts";
import { dynamoGroupKeys } from "../adapters/dynamo-group-routes.ts";
import { dynamoGuards } from "../adapters/dynamo-guards.ts";
import { dynamoHints } from "../adapters/dynamo-hints.ts";
import { dynamoLedger } from "../adapters/dynamo-ledger.ts";
import { dynamoMailboxes } from "../adapters/dynamo-mailboxes.ts";
import { dynamoMissingRecords } from "../adapters/dynamo-missing-records.ts";
import { dynamoPipeSecret } from "../adapters/dynamo-pipe-secret.ts";
import { dynamoProfiles } from "../adapters/dynamo-profiles.ts";
import { dynamoRegistry } from "../adapters/dynamo-registry.ts";
import { dynamoWayPermits } from "../adapters/dynamo-way-permits.ts";
import { iotMail } from "../adapters/iot-mail.ts";
import { vaultOfEnvironment } from "../adapters/key-vault.ts";
import { dynamoFacts } from "../adapters/meter-search.ts";
import { responseClock } from "../adapters/response-clock.ts";
import { s3Batches } from "../adapters/s3-batches.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { sqsLaneReceiver } from "../adapters/sqs-lane-receiver.ts";
import { parking } from "../adapters/sqs-parking.ts";
import { sqsResults, sqsResultsWaiting } from "../adapters/sqs-results.ts";
import { stillMatches } from "../adapters/still-matches.ts";
import { productClock, systemClock } from "../adapters/system-clock.ts";
import { factsOf } from "../adapters/telemetry.ts";
import { watchAuthority } from "./authority-watch.ts";
import { type Field, keptSecret, openField } from "./field.ts";
import { fieldDial } from "./field-dial.ts";
import { type Health, serveHealth } from "./health.ts";
import { openMailRoom } from "./mail-room.ts";
import { multicastSockets } from "./multicast-sockets.ts";
import { ownAddress } from "./own-address.ts";
import { logger, publishMetrics, sliceLog } from "./slice-log.ts";

/** The bridge as a process: sockets, queues, signals and drain around `shared/bridge`. */

/** Running sessions may go on for so long after SIGTERM, ms. */
const GRACE_MS = 60_000;
/** Then all must be at rest: the platform kills at 115 s. */
const DRAIN_MS = 105_000;
const METRICS_MS = 60_000;
const FAN_OUT_CONNECT_MS = 10_000;
const GROUP_PROTOCOLS: readonly GroupProtocol[] = [c1222Groups];

const env = settings({
  ACCESS_TABLE: Setting,
  REGISTRY_TABLE: Setting,
  LEDGER_TABLE: Setting,
  READINGS_TABLE: Setting,
  AUTHORITY_TABLE: Setting,
  AUDIT_TABLE: Setting,
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
  UPLINK_QUEUE_URL: z.url(),
  UPLINK_PARKED_QUEUE_URL: z.url(),
  MAILBOX_TOPIC: z.string().regex(/\{thing\}/),
  CLIENT_SYSTEM_TITLE: SystemTitle,
  HEALTH_PORT: z.coerce.number().int().min(0).max(65_535),
  MAX_SESSIONS: z.coerce.number().int().min(8).max(8_192).default(256),
  AWS_REGION: Setting.optional(),
  /** Where meters that speak DLMS call in; absent: none does. */
  DLMS_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  /** Where C12.22 nodes register, notify and answer, TCP and UDP; absent: none comes by itself. */
  C1222_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  /** Where DLMS meters are told to push to, `host:port`; absent: nowhere, unless an operation says. */
  PUSHES_TO: z
    .string()
    .regex(/^[^\s]+:\d{1,5}$/)
    .optional(),
  /** The headend's own title among C12.22 nodes: master relay and notification host. */
  C1222_AP_TITLE: ApTitleText.default(".1.1"),
  /** Where other tasks ask for byte pipes. */
  PIPE_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  MAX_CONNECTIONS: z.coerce.number().int().min(1).max(60_000).default(10_000),
  /** This task's address for other tasks; absent: the platform's metadata tell it. */
  TASK_ADDRESS: Setting.optional(),
  ECS_CONTAINER_METADATA_URI_V4: z.url().optional(),
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
const iot = iotDataClient();
for (const client of [db, sqs, s3]) awsClock.observe(client);

const stopped = new AbortController();
const authorityTable = dynamoAuthority(db, env.AUTHORITY_TABLE);
const authority = watchAuthority(authorityTable, env.AWS_REGION, systemClock, stopped.signal, (error) =>
  logger.warn("the active epoch cannot be read", { fault: factsOf(error) }),
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

const { vault } = vaultOfEnvironment();
const ledger = dynamoLedger(db, env.LEDGER_TABLE);
const mayReceive = (): boolean => authority.isOurs && awsClock.isRight;
const common = {
  clock: systemClock,
  random,
  crypto: nodeCrypto,
  access: dynamoAccess(db, env.ACCESS_TABLE),
  activeEpoch: authority.epoch,
  profiles: cachedProfiles((name, version) => profiles.version(name, version), systemClock),
  vault: keyVault(vault),
  clientSystemTitle: env.CLIENT_SYSTEM_TITLE,
};

// Deadlines are meter time, but sockets wait in real milliseconds.
const sessionClock: Clock = { now: () => productClock.now(), sleep: (ms, signal) => systemClock.sleep(ms, signal) };

const dial = fieldDial(productClock);
const batchPorts = { queue: sqsResults(sqs, env.RESULTS_QUEUE_URL), batches: s3Batches(s3, env.EVIDENCE_BUCKET) };
const groupRequests = dynamoGroupRequests(db, env.LEDGER_TABLE);
const answers = groupAnswers({
  ...common,
  sessionClock,
  registry: dynamoRegistry(db, env.REGISTRY_TABLE),
  ledger,
  requests: groupRequests,
  protocols: GROUP_PROTOCOLS,
  results: batchPorts,
  bridgeId: `${bridgeId}-groups`,
});
const pushes = pushBatcher({ ...batchPorts, clock: systemClock, bridgeId: `${bridgeId}-pushes` });
const hints = dynamoHints(db, env.LEDGER_TABLE);
const mailboxes = dynamoMailboxes(db, env.LEDGER_TABLE);
const mailRoom = openMailRoom({
  ...common,
  sessionClock,
  registry: dynamoRegistry(db, env.REGISTRY_TABLE),
  ledger,
  mailboxes,
  protocols: [c1222Sleepers],
  results: batchPorts,
  pushes,
  send: iotMail(iot, env.MAILBOX_TOPIC),
  receiver: sqsLaneReceiver(sqs, env.UPLINK_QUEUE_URL),
  park: parking(sqs, env.UPLINK_PARKED_QUEUE_URL),
  mayReceive,
  bridgeId,
});
let field: Field | undefined;
const onOther = (apdu: Uint8Array): void => {
  if (!answers.receive(apdu)) field?.hear(apdu);
};
const relayed = relays({ dial, clock: sessionClock, onOther });
field =
  env.DLMS_PORT === undefined && env.C1222_PORT === undefined
    ? undefined
    : await openField(
        {
          ...common,
          sessionClock,
          registry: dynamoRegistry(db, env.REGISTRY_TABLE),
          task: bridgeId,
          secret: keptSecret(() => dynamoPipeSecret(db, env.REGISTRY_TABLE, vault).open()),
          mayReceive,
          dial: (route, deadline) => (route.kind === "dial" ? dial(route, deadline) : relayed.dial(route, deadline)),
          onAnswer: (apdu) => answers.receive(apdu),
          pushes,
          onHint: (meterId) =>
            void hints
              .note(meterId, systemClock.now())
              .catch((error: unknown) => logger.warn("a hint was not noted", { fault: factsOf(error) })),
          onAttached: recall({
            clock: systemClock,
            ledger,
            onTrouble: (error) => logger.warn("waiting slices were not made due", { fault: factsOf(error) }),
          }),
        },
        {
          dlmsPort: env.DLMS_PORT,
          c1222Port: env.C1222_PORT,
          apTitle: env.C1222_AP_TITLE,
          pipePort: env.PIPE_PORT,
          host: await ownAddress(env.TASK_ADDRESS, env.ECS_CONTAINER_METADATA_URI_V4),
          listenHost: env.TASK_ADDRESS,
          connectionsMax: env.MAX_CONNECTIONS,
        },
      );
const multicast = multicastSockets(datagramReader(sessionClock, onOther));
const fanOut = fanOutOf({
  relays: relayed,
  multicast: multicast.send,
  clock: systemClock,
  sessionClock,
  connectMs: FAN_OUT_CONNECT_MS,
});

const pushesTo = (text: string | undefined): PushDestination | undefined => {
  const [, host, port] = /^(.+):(\d+)$/.exec(text ?? "") ?? [];
  return host === undefined ? undefined : PushDestination.parse({ host, port: Number(port) });
};

const bridge = startBridge(
  {
    ...common,
    sessionClock: productClock,
    ledger,
    stillMatches: stillMatches(
      dynamoRegistry(db, env.REGISTRY_TABLE),
      dynamoFacts(db, { readings: env.READINGS_TABLE, access: env.ACCESS_TABLE }),
      productClock.now,
    ),
    missing: dynamoMissingRecords(db, env.READINGS_TABLE),
    wayPermits: dynamoWayPermits(db, env.ACCESS_TABLE),
    safety: {
      authority: authorityTable.active,
      region: env.AWS_REGION,
      guards: guardDesk({
        store: dynamoGuards(db, env.ACCESS_TABLE),
        clock: systemClock,
        settings: authorityTable.guards,
      }),
      audit: auditLog({ store: dynamoAudit(db, env.AUDIT_TABLE), crypto: nodeCrypto, clock: systemClock }),
      taskName: taskNames(nodeCrypto),
    },
    drivers: driverRegistry([dlmsDriver, c1222Driver]),
    pushesTo: pushesTo(env.PUSHES_TO),
    dial,
    relay: relayed.dial,
    trace: relayTrace({ dial: relayed.dial, random, from: env.C1222_AP_TITLE }),
    groups: {
      keys: dynamoGroupKeys(db, env.REGISTRY_TABLE, vault),
      requests: groupRequests,
      protocols: (protocol) => GROUP_PROTOCOLS.find((one) => one.protocol === protocol),
      fanOut,
    },
    mailboxes,
    ...(field === undefined ? {} : { attached: field.dial }),
    receivers: {
      commands: sqsLaneReceiver(sqs, env.COMMANDS_QUEUE_URL),
      interactive: sqsLaneReceiver(sqs, env.INTERACTIVE_QUEUE_URL),
      urgent: sqsLaneReceiver(sqs, env.URGENT_QUEUE_URL),
      bulk: sqsLaneReceiver(sqs, env.BULK_QUEUE_URL),
      images: sqsLaneReceiver(sqs, env.IMAGES_QUEUE_URL),
    },
    results: batchPorts,
    resultsWaiting: sqsResultsWaiting(sqs, env.RESULTS_QUEUE_URL),
    park: (lane, body, reason) => parkings[lane](body, reason),
    bridgeId,
    mayReceive,
  },
  sliceLog,
  env.MAX_SESSIONS,
);

let draining = false;
const health = (): Health => ({
  state: draining ? "draining" : awsClock.isRight ? "working" : "clock-wrong",
  openSlices: bridge.openSlices,
  busySessions: bridge.busySessions,
  heldConnections: field?.held ?? 0,
  pipesServed: field?.pipesServed ?? 0,
});
const server = await serveHealth(env.HEALTH_PORT, health);
const report = (): void => {
  const arrivals = field?.arrivals();
  if (arrivals !== undefined) logger.info("meters that called in", { held: field?.held, arrivals });
  const answered = answers.counts();
  if (answered !== undefined) logger.info("answers to group requests", { answers: answered });
  const uplinks = mailRoom.counts();
  if (uplinks !== undefined) logger.info("what endpoints that sleep said", { uplinks });
  publishMetrics();
};
const reporting = setInterval(report, METRICS_MS);
logger.info("bridge is up", {
  bridgeId,
  healthPort: server.port,
  ...field?.ports,
  maxSessions: env.MAX_SESSIONS,
});

async function shutDown(signal: string): Promise<void> {
  if (draining) return;
  draining = true;
  const begun = Date.now();
  logger.info("draining", { signal, openSlices: bridge.openSlices, busySessions: bridge.busySessions });
  setTimeout(() => {
    logger.critical("not at rest in time", { openSlices: bridge.openSlices });
    process.exit(1);
  }, DRAIN_MS).unref();
  await Promise.all([bridge.drain(GRACE_MS), field?.drain(GRACE_MS), mailRoom.drain()]);
  fanOut.close();
  await Promise.all([answers.drain(), pushes.flush()]);
  relayed.close();
  multicast.close();
  stopped.abort();
  clearInterval(reporting);
  report();
  server.close();
  const { user, system } = process.cpuUsage();
  logger.info("drained", { durationMs: Date.now() - begun, cpuMs: Math.round((user + system) / 1000) });
  process.exit(0);
}
process.on("SIGTERM", () => void shutDown("SIGTERM"));
process.on("SIGINT", () => void shutDown("SIGINT"));
