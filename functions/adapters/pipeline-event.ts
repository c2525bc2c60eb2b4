import middy from "@middy/core";
import type { Context } from "aws-lambda";
import type { z } from "zod";
import { factsOf, logger, metrics } from "./telemetry.ts";

/**
 * The pipeline of functions that a schedule or another function starts: the event by its schema, then the domain call.
 * What it answers is logged as facts. A throw is left to Lambda, which tries an asynchronous call again.
 */
export function eventHandler<S extends z.ZodType>(
  schema: S,
  run: (event: z.output<S>, context: Context) => Promise<Readonly<Record<string, unknown>> | undefined>,
) {
  return middy<unknown, unknown, Error, Context>()
    .use({
      before: ({ context }) => {
        logger.addContext(context);
        logger.resetKeys();
        logger.appendKeys({ correlationId: context.awsRequestId });
      },
      onError: ({ error }) => {
        logger.error("failed", factsOf(error));
        metrics.addMetric("faults", "Count", 1);
        metrics.publishStoredMetrics();
      },
      after: () => {
        metrics.publishStoredMetrics(); // what a hook returns would be taken for the answer
      },
    })
    .handler(async (event: unknown, context: Context) => {
      const startedAt = Date.now();
      const facts = await run(schema.parse(event), context);
      logger.info("done", { ...facts, durationMs: Date.now() - startedAt });
      return facts;
    });
}
