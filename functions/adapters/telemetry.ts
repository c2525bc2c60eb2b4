import { Logger } from "@aws-lambda-powertools/logger";
import { Metrics } from "@aws-lambda-powertools/metrics";

/** Logger and metrics of one function; the service is the function's own name, which Lambda gives. */
const service = process.env.AWS_LAMBDA_FUNCTION_NAME ?? "headrace";

export const logger = new Logger({ serviceName: service });
export const metrics = new Metrics({ namespace: "Headrace", serviceName: service });

/** What may be logged of an error: name, code and message (as `problem`: the logger keeps `message` for itself), never a cause or a value that travels with it. */
export function factsOf(error: unknown): Readonly<Record<string, string>> {
  if (!(error instanceof Error)) return { error: typeof error };
  const code = (error as { readonly code?: unknown }).code;
  return {
    error: error.name,
    problem: error.message.slice(0, 500),
    ...(typeof code === "string" ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: error.stack.split("\n").slice(1, 6).join("\n") }),
  };
}
