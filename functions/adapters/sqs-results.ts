import { GetQueueAttributesCommand, SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { ResultQueue } from "../../shared/bridge/result-batcher.ts";

/** The results queue, bridge's side. */
export const sqsResults = (sqs: SQSClient, QueueUrl: string): ResultQueue => ({
  // A fair queue by lane: what a person waits for, and alarms, overtake the results of a bulk read.
  async send(MessageBody, group) {
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, MessageGroupId: group }));
  },
});

/** How many results wait for ingest: SQS' own estimate. */
export const sqsResultsWaiting = (sqs: SQSClient, QueueUrl: string) => async (): Promise<number> => {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["ApproximateNumberOfMessages"] }),
  );
  return Number(Attributes?.ApproximateNumberOfMessages ?? 0);
};
