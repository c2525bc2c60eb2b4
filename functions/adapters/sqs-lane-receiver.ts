import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { LaneMessage, LaneReceiver } from "../../shared/bridge/bridge.ts";

const LONG_POLL_SECONDS = 20;

/** One lane on SQS, long-polled. How long a message stays invisible at first is the queue's own setting. */
export const sqsLaneReceiver = (sqs: SQSClient, QueueUrl: string): LaneReceiver => ({
  async receive(max, signal) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: max,
        WaitTimeSeconds: LONG_POLL_SECONDS,
        MessageSystemAttributeNames: ["SentTimestamp", "ApproximateReceiveCount"],
      }),
      { abortSignal: signal },
    );
    return Messages.flatMap(({ Body, ReceiptHandle, Attributes }): LaneMessage[] =>
      ReceiptHandle === undefined
        ? []
        : [
            {
              body: Body ?? "",
              sentAt: Number(Attributes?.SentTimestamp ?? 0),
              receives: Number(Attributes?.ApproximateReceiveCount ?? 1),
              async renew(ms) {
                const VisibilityTimeout = Math.ceil(ms / 1000);
                await sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout }));
              },
              async delete() {
                await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
              },
            },
          ],
    );
  },
});
