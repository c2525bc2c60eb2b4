import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { ResultQueue } from "../../shared/bridge/result-batcher.ts";

/** The results queue, bridge's side. */
export const sqsResults = (sqs: SQSClient, QueueUrl: string): ResultQueue => ({
  async send(MessageBody) {
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  },
});
