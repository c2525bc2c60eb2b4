import { GetQueueAttributesCommand, SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { ResultQueue } from "../../shared/bridge/result-batcher.ts";

/** The results queue, bridge's side. */
export const sqsResults = (sqs: SQSClient, QueueUrl: string): ResultQueue => ({
  async send(MessageBody) {
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  },
});

/** How many results wait for ingest: SQS' own estimate. */
export const sqsResultsWaiting = (sqs: SQSClient, QueueUrl: string) => async (): Promise<number> => {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["ApproximateNumberOfMessages"] }),
  );
  return Number(Attributes?.ApproximateNumberOfMessages ?? 0);
};
