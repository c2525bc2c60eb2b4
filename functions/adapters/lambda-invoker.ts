import { InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import type { Planner } from "../../shared/jobs/lanes.ts";

/** Starts a function and does not wait for it. */
export const invoker =
  (lambda: LambdaClient, functionName: string) =>
  async (event: Readonly<Record<string, unknown>>): Promise<void> => {
    const Payload = new TextEncoder().encode(JSON.stringify(event));
    await lambda.send(new InvokeCommand({ FunctionName: functionName, InvocationType: "Event", Payload }));
  };

/** The planner as a function of its own. */
export const lambdaPlanner = (lambda: LambdaClient, functionName: string): Planner => ({
  start: (jobId) => invoker(lambda, functionName)({ jobId }),
});
