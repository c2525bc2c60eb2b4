import { activeSubscriptions } from "../../shared/events/active-subscriptions.ts";
import { type EventTeller, eventTeller } from "../../shared/events/tell-events.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { sqsClient } from "./aws-clients.ts";
import { documentClient } from "./document-client.ts";
import { dynamoSubscriptions } from "./dynamo-subscriptions.ts";
import { Setting, settings } from "./settings.ts";
import { sqsNotices } from "./sqs-events.ts";
import { systemClock } from "./system-clock.ts";

/** Tells of events, as the environment says. */
export function tellerOfEnvironment(): EventTeller {
  const env = settings({ LEDGER_TABLE: Setting, NOTICES_QUEUE_URL: Setting });
  return eventTeller({
    subscriptions: activeSubscriptions(dynamoSubscriptions(documentClient(), env.LEDGER_TABLE), systemClock.now),
    send: sqsNotices(sqsClient(), env.NOTICES_QUEUE_URL),
    crypto: nodeCrypto,
    now: systemClock.now,
  });
}
