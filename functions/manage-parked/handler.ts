import { z } from "zod";
import { PARKING_QUEUES } from "../../shared/api/parked.ts";
import { Notice } from "../../shared/events/tell-events.ts";
import { WebhookMessage } from "../../shared/events/webhook.ts";
import { contentOf } from "../../shared/jobs/parked-message.ts";
import { sqsClient } from "../adapters/aws-clients.ts";
import { httpHandler } from "../adapters/pipeline-http.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { type Parked, sqsParked } from "../adapters/sqs-parked.ts";

type QueueName = (typeof PARKING_QUEUES)[number];
const sourceOf = (queue: QueueName): string => `${queue.toUpperCase()}_QUEUE_URL`;
const parkedOf = (queue: QueueName): string => `${queue.toUpperCase()}_PARKED_QUEUE_URL`;
const env: Readonly<Record<string, string>> = z.record(z.string(), z.string()).parse(
  settings(
    Object.fromEntries(
      PARKING_QUEUES.flatMap((queue) => [
        [sourceOf(queue), Setting],
        [parkedOf(queue), Setting],
      ]),
    ),
  ),
);
const sqs = sqsClient();
const queueOf = (queue: QueueName) => sqsParked(sqs, env[parkedOf(queue)] ?? "", env[sourceOf(queue)] ?? "");
const REPLAY_MAX = 1000;
const NEWS: Readonly<Partial<Record<QueueName, z.ZodType<object>>>> = { notices: Notice, webhooks: WebhookMessage };

function viewOf(queue: QueueName, { messageId, sentAt, receives, reason, body }: Parked) {
  const { problem, ...about } = contentOf(queue, body, NEWS[queue]);
  const gaveUp = `received ${receives} times without success`;
  return {
    messageId,
    sentAt,
    receives,
    reason: reason ?? problem ?? gaveUp,
    ...about,
    octets: Buffer.byteLength(body),
  };
}

export const handler = httpHandler({
  async listParked({ params: { queue }, query }) {
    const parked = queueOf(queue);
    const [count, messages] = [await parked.count(), await parked.list(query.limit)];
    return { status: 200, body: { queue, count, messages: messages.map((message) => viewOf(queue, message)) } };
  },
  async replayParked({ params: { queue }, body }) {
    const parked = queueOf(queue);
    const replayed = await parked.replay(body.messageIds, REPLAY_MAX);
    return { status: 200, body: { replayed, remaining: await parked.count() } };
  },
});
