import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";

/** The message attribute that says why a message was parked. */
export const REASON_ATTRIBUTE = "reason";
const REASON_MAX = 500;

/** Puts a message aside, into a dead-letter queue, with the reason why it could not be handled. */
export const parking =
  (sqs: SQSClient, QueueUrl: string) =>
  async (body: string, reason: string): Promise<void> => {
    await sqs.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: body,
        MessageAttributes: {
          [REASON_ATTRIBUTE]: { DataType: "String", StringValue: reason.slice(0, REASON_MAX) || "unknown" },
        },
      }),
    );
  };
