import { BatchProcessor, EventType, processPartialResponse } from "@aws-lambda-powertools/batch";
import middy from "@middy/core";
import type { Context, SQSBatchItemFailure, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { factsOf, logger, metrics } from "./telemetry.ts";

/**
 * The pipeline of functions that a queue starts: each record by itself; those that fail come back alone, and are parked
 * with the queue's redrive policy. The facts that a record answers are logged. `first`: records that are done before the
 * others of their batch are begun.
 */
export function sqsHandler(
  run: (body: string, record: SQSRecord) => Promise<Readonly<Record<string, unknown>> | undefined>,
  first: (record: SQSRecord) => boolean = () => false,
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
      after: () => {
        metrics.publishStoredMetrics(); // what a hook returns would be taken for the answer
      },
      onError: () => {
        metrics.publishStoredMetrics(); // what a hook returns would be taken for the answer
      },
    })
    .handler(async (event: SQSEvent, context: Context): Promise<SQSBatchResponse> => {
      const batchItemFailures: SQSBatchItemFailure[] = [];
      for (const isTurn of [first, (one: SQSRecord) => !first(one)]) {
        const Records = event.Records.filter(isTurn);
        if (Records.length === 0) continue;
        const processor = new BatchProcessor(EventType.SQS);
        // A batch in which every record failed is answered like any other: no throw, each failure by its id.
        const options = { context, throwOnFullBatchFailure: false };
        const answer = await processPartialResponse({ Records }, record, processor, options);
        batchItemFailures.push(...answer.batchItemFailures);
      }
      return { batchItemFailures };
    });
}
