import { type DeliverPorts, deliverWebhook } from "../../shared/events/deliver-webhook.ts";
import { WebhookMessage } from "../../shared/events/webhook.ts";
import { decodeMessage, encodeMessage } from "../../shared/jobs/messages.ts";
import { sqsClient } from "../adapters/aws-clients.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoSealedSecrets } from "../adapters/dynamo-sealed-secrets.ts";
import { dynamoEndpointHealths, dynamoSubscriptions } from "../adapters/dynamo-subscriptions.ts";
import { vaultOfEnvironment } from "../adapters/key-vault.ts";
import { sqsHandler } from "../adapters/pipeline-sqs.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { sqsWebhooks } from "../adapters/sqs-events.ts";
import { parking } from "../adapters/sqs-parking.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { systemRandom } from "../adapters/system-random.ts";
import { metrics } from "../adapters/telemetry.ts";
import { webhookSender } from "../adapters/webhook-sender.ts";

const env = settings({
  LEDGER_TABLE: Setting,
  WEBHOOKS_QUEUE_URL: Setting,
  WEBHOOKS_PARKED_QUEUE_URL: Setting,
  CALLBACKS: Setting,
});
const db = documentClient();
const sqs = sqsClient();
const secrets = dynamoSealedSecrets(db, env.LEDGER_TABLE, vaultOfEnvironment().vault, "webhook-secret");
const send = webhookSender(env.CALLBACKS === "any" ? "any" : "public", systemClock.now);
const park = parking(sqs, env.WEBHOOKS_PARKED_QUEUE_URL);

const post: DeliverPorts["post"] = async ({ subscriptionId, url, secrets: signing }, { deliveryId, body }, at) => {
  const opened: Uint8Array[] = [];
  try {
    for (const { version, until } of signing) {
      const secret = until === undefined || until > at ? await secrets.open(subscriptionId, version) : undefined;
      if (secret !== undefined) opened.push(secret);
    }
    if (opened.length === 0) return { kind: "failed", problem: "there is no secret to sign with" };
    return await send({ url, id: deliveryId, body, secrets: opened });
  } finally {
    for (const secret of opened) secret.fill(0);
  }
};

const ports: DeliverPorts = {
  subscriptions: dynamoSubscriptions(db, env.LEDGER_TABLE),
  healths: dynamoEndpointHealths(db, env.LEDGER_TABLE),
  post,
  sendAgain: sqsWebhooks(sqs, env.WEBHOOKS_QUEUE_URL).sendAgain,
  park: (message, reason) => park(encodeMessage(WebhookMessage, message), reason),
  random: systemRandom,
  now: systemClock.now,
};

/** Webhooks, each by itself: delivered, sent again after a rest, or parked with the reason. */
export const handler = sqsHandler(async (body) => {
  const message = decodeMessage(WebhookMessage, body);
  const { subscriptionId, deliveryId, attempt } = message;
  const facts = await deliverWebhook(ports, message);
  if (facts.did === "suspended") metrics.addMetric("suspendedSubscriptions", "Count", 1);
  return { subscriptionId, deliveryId, attempt, ...facts };
});
