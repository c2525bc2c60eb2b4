import { pathToFileURL } from "node:url";
import { parentPort, workerData } from "node:worker_threads";
import type { FromWorker, ToWorker, WorkerStart } from "./lambda-environment.ts";

/** One execution environment: loads the bundle once, then serves one event after the other. */
const { entry, exportName, functionName, functionArn, memoryMb } = workerData as WorkerStart;
const port = parentPort;
if (port === null) throw new Error("lambda-worker.ts runs in a worker thread");
const send = (message: FromWorker): void => port.postMessage(message);

const describe = (error: unknown): string =>
  JSON.stringify(
    error instanceof Error
      ? { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? "").split("\n") }
      : { errorType: "Error", errorMessage: String(error), trace: [] },
  );

type Handler = (event: unknown, context: object) => unknown;

let handler: Handler | undefined;
try {
  const loaded = (await import(entry.startsWith("data:") ? entry : pathToFileURL(entry).href)) as Readonly<
    Record<string, unknown>
  >;
  const found = loaded[exportName] ?? (loaded.default as Readonly<Record<string, unknown>> | undefined)?.[exportName];
  if (typeof found !== "function") throw new TypeError(`${entry} exports no function ${exportName}`);
  handler = found as Handler;
  send({ kind: "ready" });
} catch (error) {
  send({ kind: "init-failed", error: describe(error) });
}

port.on("message", async ({ requestId, event, deadline }: ToWorker) => {
  const context = {
    functionName,
    functionVersion: "$LATEST",
    invokedFunctionArn: functionArn,
    memoryLimitInMB: String(memoryMb),
    awsRequestId: requestId,
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: "local",
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
  try {
    const answer = await handler?.(JSON.parse(event), context);
    send({ kind: "answer", requestId, payload: JSON.stringify(answer) ?? "null" });
  } catch (error) {
    send({ kind: "failed", requestId, error: describe(error) });
  }
});
