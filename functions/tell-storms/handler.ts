import { z } from "zod";
import { tellStorms } from "../../shared/events/match-events.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { sqsClient } from "../adapters/aws-clients.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoStorms } from "../adapters/dynamo-storms.ts";
import { eventHandler } from "../adapters/pipeline-event.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { sqsWebhooks } from "../adapters/sqs-events.ts";
import { systemClock } from "../adapters/system-clock.ts";

const env = settings({ DEPLOYMENT: Setting, TIMELINE_TABLE: Setting, WEBHOOKS_QUEUE_URL: Setting });
const ports = {
  storms: dynamoStorms(documentClient(), env.TIMELINE_TABLE),
  send: sqsWebhooks(sqsClient(), env.WEBHOOKS_QUEUE_URL).send,
  crypto: nodeCrypto,
  source: `/headrace/${env.DEPLOYMENT}`,
};

/** Once a minute: like events that came in numbers in a minute that is over, each as one message. */
export const handler = eventHandler(z.object({}), async () => {
  const facts = await tellStorms(ports, systemClock.now());
  return facts.storms === 0 ? undefined : { ...facts };
});
