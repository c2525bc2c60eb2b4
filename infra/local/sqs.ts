import { setTimeout as pause } from "node:timers/promises";
import type { Permissions } from "./permissions.ts";
import type { SqsStore } from "./queue-engine.ts";

export type Queue = NonNullable<ReturnType<SqsStore["getQueueByName"]>>;

/** Larger bodies are refused, though SQS takes 1 MiB by now: what is larger goes through S3 by key. */
const MESSAGE_OCTETS_MAX = 262_144;

export interface QueueProperties {
  readonly name: string;
  readonly url: string;
  readonly arn: string;
  /** SQS attributes as text. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Creates the queue, or brings one of an earlier run to the template's attributes, with its messages kept. */
export function createQueue(sqs: SqsStore, queue: QueueProperties): Queue {
  const limit = Math.min(Number(queue.attributes.MaximumMessageSize ?? MESSAGE_OCTETS_MAX), MESSAGE_OCTETS_MAX);
  const attributes = { ...queue.attributes, MaximumMessageSize: String(limit) };
  const kept = sqs.getQueueByName(queue.name);
  if (kept === undefined) return sqs.createQueue(queue.name, queue.url, queue.arn, attributes);
  kept.setAttributes({ ...(queue.attributes.RedrivePolicy === undefined ? { RedrivePolicy: "" } : {}), ...attributes });
  return kept;
}

/** The IAM action of each SQS operation that the product uses; a batch is its single form's action. */
const ACTIONS: Readonly<Record<string, string>> = {
  SendMessage: "SendMessage",
  SendMessageBatch: "SendMessage",
  ReceiveMessage: "ReceiveMessage",
  DeleteMessage: "DeleteMessage",
  DeleteMessageBatch: "DeleteMessage",
  ChangeMessageVisibility: "ChangeMessageVisibility",
  ChangeMessageVisibilityBatch: "ChangeMessageVisibility",
  GetQueueAttributes: "GetQueueAttributes",
  GetQueueUrl: "GetQueueUrl",
};

export interface SqsRequest {
  readonly operation: string;
  readonly authorization: string | undefined;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Undefined when the request may go on; else the answer that refuses it. */
export function refuseSqs(
  permissions: Permissions,
  sqs: SqsStore,
  request: SqsRequest,
): { readonly __type: string; readonly message: string } | undefined {
  const principal = permissions.principal(request.authorization);
  if (principal === undefined)
    return { __type: "com.amazonaws.sqs#InvalidClientTokenId", message: "The security token is not valid." };
  const action = ACTIONS[request.operation];
  if (action === undefined)
    return {
      __type: "com.amazonaws.sqs#UnsupportedOperation",
      message: `SQS ${request.operation} is not stood up locally (infra/local/sqs.ts)`,
    };
  const queue =
    request.operation === "GetQueueUrl"
      ? sqs.getQueueByName(String(request.body.QueueName))
      : sqs.getQueue(String(request.body.QueueUrl));
  const refusal = queue === undefined ? undefined : permissions.refusal(principal, `sqs:${action}`, queue.arn);
  return refusal === undefined ? undefined : { __type: "com.amazonaws.sqs#AccessDenied", message: refusal };
}

/**
 * The wait of a long poll, before anything is taken: a receiver that is killed while it waits must not take a message with
 * it for a whole visibility time-out. Resolves false when the receiver has gone, else when it may look.
 */
export async function untilVisible(queue: Queue, seconds: number, gone: AbortSignal): Promise<boolean> {
  const until = Date.now() + seconds * 1000;
  for (;;) {
    queue.processTimers();
    const left = until - Date.now();
    if (gone.aborted) return false;
    if (queue.messages.length > 0 || left <= 0) return true;
    await Promise.race([queue.waitForMessages(left / 1000), new Promise((resolve) => (gone.onabort = resolve))]);
  }
}

/** A message as an event source gets it. */
export interface Received {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly md5OfBody: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly messageAttributes: Readonly<Record<string, unknown>>;
}

const LONG_POLL_SECONDS = 20;

/** Long-polls once inside the process; at most ten messages. */
export async function receive(sqs: SqsStore, queue: Queue, most: number, signal: AbortSignal): Promise<Received[]> {
  const take = () => queue.dequeue(Math.min(most, 10), undefined, (arn) => sqs.getQueueByArn(arn));
  let messages = take();
  if (messages.length === 0 && !signal.aborted) {
    await Promise.race([
      queue.waitForMessages(LONG_POLL_SECONDS),
      pause(LONG_POLL_SECONDS * 1000 + 1000, undefined, { signal, ref: false }).catch(() => undefined),
    ]);
    if (signal.aborted) return [];
    messages = take();
  }
  return messages.map((message) => {
    const held = queue.inflightMessages.get(message.ReceiptHandle)?.message;
    return {
      messageId: message.MessageId,
      receiptHandle: message.ReceiptHandle,
      body: message.Body,
      md5OfBody: message.MD5OfBody,
      attributes: {
        SenderId: "local",
        SentTimestamp: String(held?.sentTimestamp ?? 0),
        ApproximateReceiveCount: String(held?.approximateReceiveCount ?? 1),
        ApproximateFirstReceiveTimestamp: String(held?.approximateFirstReceiveTimestamp ?? 0),
        ...(held?.messageGroupId === undefined ? {} : { MessageGroupId: held.messageGroupId }),
      },
      messageAttributes: message.MessageAttributes ?? {},
    };
  });
}

/** Puts a message in from inside this process; false: it is larger than SQS takes. */
export function send(sqs: SqsStore, queue: Queue, body: string): boolean {
  if (Buffer.byteLength(body) > MESSAGE_OCTETS_MAX) return false;
  const store = sqs.constructor as unknown as { createMessage(body: string): Parameters<Queue["enqueue"]>[0] };
  queue.enqueue(store.createMessage(body));
  return true;
}
