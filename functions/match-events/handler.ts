import { activeSubscriptions } from "../../shared/events/active-subscriptions.ts";
import { type MatchPorts, matchNotice } from "../../shared/events/match-events.ts";
import { Notice } from "../../shared/events/tell-events.ts";
import { decodeMessage } from "../../shared/jobs/messages.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { sqsClient } from "../adapters/aws-clients.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoRegistry } from "../adapters/dynamo-registry.ts";
import { dynamoStorms } from "../adapters/dynamo-storms.ts";
import { dynamoSubscriptions } from "../adapters/dynamo-subscriptions.ts";
import { keptMemberships } from "../adapters/kept-memberships.ts";
import { sqsHandler } from "../adapters/pipeline-sqs.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { sqsWebhooks } from "../adapters/sqs-events.ts";
import { systemClock } from "../adapters/system-clock.ts";

const env = settings({
  DEPLOYMENT: Setting,
  LEDGER_TABLE: Setting,
  REGISTRY_TABLE: Setting,
  TIMELINE_TABLE: Setting,
  WEBHOOKS_QUEUE_URL: Setting,
});
const db = documentClient();
const ports: MatchPorts = {
  subscriptions: activeSubscriptions(dynamoSubscriptions(db, env.LEDGER_TABLE), systemClock.now),
  memberships: keptMemberships(dynamoRegistry(db, env.REGISTRY_TABLE), systemClock.now),
  storms: dynamoStorms(db, env.TIMELINE_TABLE),
  send: sqsWebhooks(sqsClient(), env.WEBHOOKS_QUEUE_URL).send,
  crypto: nodeCrypto,
  source: `/headrace/${env.DEPLOYMENT}`,
};

/** Recorded events against what subscribers want: a notice becomes deliveries. */
export const handler = sqsHandler(async (body) => {
  const notice = decodeMessage(Notice, body);
  return { notice: notice.id, events: notice.events.length, ...(await matchNotice(ports, notice)) };
});
