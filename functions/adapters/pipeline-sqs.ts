import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";
import middy from "@middy/core";
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { factsOf, logger, metrics } from "./telemetry.ts";

/**
 * The pipeline of functions that a queue starts: each record by itself; those that fail come back alone, and are parked
 * with the queue's redrive policy. The facts that a record answers are logged.
 */
export function sqsHandler(
  run: (body: string, record: SQSRecord) => Promise<Readonly<Record<string, unknown>> | undefined>,
) {
  const record = async (message: SQSRecord): Promise<void> => {
    const startedAt = Date.now();
    try {
      const facts = await run(message.body, message);
      logger.info("done", { messageId: message.messageId, ...facts, durationMs: Date.now() - startedAt });
    } catch (error) {
      const receives = Number(message.attributes.ApproximateReceiveCount);
      logger.error("failed", { messageId: message.messageId, receives, ...factsOf(error) });
      metrics.addMetric("failedRecords", "Count", 1);
      throw error;
    }
  };

  return middy<SQSEvent, SQSBatchResponse, Error, Context>()
    .use({
      before: ({ context }) => {
        logger.addContext(context);
        logger.resetKeys();
        logger.appendKeys({ correlationId: context.awsRequestId });
      },
      after: () => metrics.publishStoredMetrics(),
      onError: () => metrics.publishStoredMetrics(),
    })
    .handler(async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
      const processor = new BatchProcessor(EventType.SQS);
      // A batch in which every record failed is answered like any other: no throw, each failure by its id.
      return processPartialResponse(event, record, processor, { context, throwOnFullBatchFailure: false });
    });
}
