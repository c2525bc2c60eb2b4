import { SendMessageBatchCommand, SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import { Notice } from "../../shared/events/tell-events.ts";
import { WebhookMessage } from "../../shared/events/webhook.ts";
import { encodeMessage } from "../../shared/jobs/messages.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";

/** A batch of messages is of 256 kB at the most, all together: each of ours may be nearly that. */
const BATCH = 10;
const BATCH_OCTETS = 250_000;

/** The queue of notices. Each is a message. */
export const sqsNotices =
  (sqs: SQSClient, QueueUrl: string) =>
  async (notices: readonly Notice[]): Promise<void> => {
    for (const notice of notices)
      await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: encodeMessage(Notice, notice) }));
  };

/** Of webhooks, a fair queue by subscription: one whose endpoint is slow keeps the others not waiting. */
export function sqsWebhooks(sqs: SQSClient, QueueUrl: string) {
  return {
    async send(messages: readonly WebhookMessage[]): Promise<void> {
      let batch: { readonly body: string; readonly group: string }[] = [];
      let octets = 0;
      const flush = async (): Promise<void> => {
        if (batch.length === 0) return;
        const Entries = batch.map(({ body, group }, index) => ({
          Id: String(index),
          MessageBody: body,
          MessageGroupId: group,
        }));
        const { Failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
        const [first] = Failed;
        if (first !== undefined)
          throw new HeadraceError("webhook.send-failed", `${Failed.length} of ${batch.length} were not accepted`, {
            retry: "later",
            detail: { code: first.Code },
          });
        batch = [];
        octets = 0;
      };
      for (const message of messages) {
        const body = encodeMessage(WebhookMessage, message);
        const size = Buffer.byteLength(body);
        if (batch.length === BATCH || octets + size > BATCH_OCTETS) await flush();
        batch.push({ body, group: message.subscriptionId });
        octets += size;
      }
      await flush();
    },
    async sendAgain(message: WebhookMessage, delayMs: number): Promise<void> {
      await sqs.send(
        new SendMessageCommand({
          QueueUrl,
          MessageBody: encodeMessage(WebhookMessage, message),
          MessageGroupId: message.subscriptionId,
          DelaySeconds: Math.ceil(delayMs / 1000),
        }),
      );
    },
  };
}
