import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import { eachOf } from "../../shared/jobs/concurrency.ts";
import { REASON_ATTRIBUTE } from "./sqs-parking.ts";

export interface Parked {
  readonly messageId: string;
  readonly sentAt: number;
  readonly receives: number;
  /** Said by whoever parked it; absent: the queue did, after too many receives. */
  readonly reason?: string;
  readonly body: string;
}

/** A dead-letter queue: look into it, send what lies there to its queue again. */
export interface ParkedQueue {
  count(): Promise<number>;
  list(limit: number): Promise<readonly Parked[]>;
  /** `messageIds`: only those. Sent first, then deleted: a crash between sends twice, which is harmless. */
  replay(messageIds: readonly string[] | undefined, limit: number): Promise<number>;
}

const HOLD_SECONDS = 30;
const RECEIVE = 10;
const CONCURRENT = 8;
/** SQS answers from some of its servers at a time: so many empty answers in a row mean that nothing is left. */
const EMPTY_MAX = 3;

const parkedOf = ({ MessageId = "", Attributes = {}, MessageAttributes = {}, Body = "" }: Message): Parked => {
  const reason = MessageAttributes[REASON_ATTRIBUTE]?.StringValue;
  return {
    messageId: MessageId,
    sentAt: Number(Attributes.SentTimestamp ?? 0),
    receives: Number(Attributes.ApproximateReceiveCount ?? 0),
    ...(reason === undefined ? {} : { reason }),
    body: Body,
  };
};

export function sqsParked(sqs: SQSClient, QueueUrl: string, sourceUrl: string): ParkedQueue {
  /** Holds messages until `enough`; what is held and not deleted is let go by the caller. */
  const hold = async (enough: (held: ReadonlyMap<string, Message>) => boolean): Promise<readonly Message[]> => {
    const held = new Map<string, Message>();
    for (let empty = 0; empty < EMPTY_MAX && !enough(held); ) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl,
          MaxNumberOfMessages: RECEIVE,
          VisibilityTimeout: HOLD_SECONDS,
          MessageSystemAttributeNames: ["SentTimestamp", "ApproximateReceiveCount"],
          MessageAttributeNames: [REASON_ATTRIBUTE],
        }),
      );
      empty = Messages.length === 0 ? empty + 1 : 0;
      for (const message of Messages) if (message.MessageId !== undefined) held.set(message.MessageId, message);
    }
    return [...held.values()];
  };
  const letGo = (messages: readonly Message[]): Promise<void> =>
    eachOf(messages, CONCURRENT, async ({ ReceiptHandle }) => {
      await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
    });

  return {
    async count() {
      const { Attributes = {} } = await sqs.send(
        new GetQueueAttributesCommand({
          QueueUrl,
          AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        }),
      );
      return Object.values(Attributes).reduce((sum, value) => sum + Number(value), 0);
    },
    async list(limit) {
      const messages = await hold((held) => held.size >= limit);
      await letGo(messages);
      return messages.map(parkedOf).slice(0, limit);
    },
    async replay(messageIds, limit) {
      const messages = await hold((held) =>
        messageIds === undefined ? held.size >= limit : messageIds.every((messageId) => held.has(messageId)),
      );
      const wanted = messages
        .filter(({ MessageId = "" }) => messageIds === undefined || messageIds.includes(MessageId))
        .slice(0, limit);
      await letGo(messages.filter((message) => !wanted.includes(message)));
      await eachOf(wanted, CONCURRENT, async ({ Body = "", ReceiptHandle }) => {
        await sqs.send(new SendMessageCommand({ QueueUrl: sourceUrl, MessageBody: Body }));
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      });
      return wanted.length;
    },
  };
}
