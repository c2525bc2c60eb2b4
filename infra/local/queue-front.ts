import type { LocalServer } from "./aws-endpoint.ts";
import { FairQueues } from "./fair-queue.ts";
import type { Permissions } from "./permissions.ts";
import type { QueueEngine } from "./queue-engine.ts";
import { refuseS3 } from "./s3.ts";
import { refuseSqs, untilVisible } from "./sqs.ts";

const SQS_JSON = "application/x-amz-json-1.0";

/** Puts permissions before the queues and objects and listens on 127.0.0.1. SQS and S3 share the address. */
export async function startQueueFront(engine: QueueEngine, permissions: Permissions): Promise<LocalServer> {
  const { app, sqs } = engine;
  const fair = new FairQueues();
  app.addHook("preHandler", async (request, reply) => {
    const { method, url, headers } = request.raw;
    if (headers["content-type"]?.includes(SQS_JSON) === true) {
      const body = request.body as Readonly<Record<string, unknown>> & { WaitTimeSeconds?: number };
      const operation = String(headers["x-amz-target"] ?? "").replace("AmazonSQS.", "");
      const refusal = refuseSqs(permissions, sqs, { operation, authorization: headers.authorization, body });
      if (refusal !== undefined) return reply.status(400).header("content-type", SQS_JSON).send(refusal);
      if (operation.startsWith("SendMessage")) fair.announce(sqs.getQueue(String(body.QueueUrl)), body);
      if (operation !== "ReceiveMessage") return undefined;
      const queue = sqs.getQueue(String(body.QueueUrl));
      const seconds = body.WaitTimeSeconds ?? Number(queue?.attributes.ReceiveMessageWaitTimeSeconds ?? 0);
      if (queue === undefined || !(seconds > 0 && seconds <= 20)) return undefined;
      const gone = new AbortController();
      const leave = (): void => gone.abort();
      request.raw.socket.once("close", leave);
      const here = await untilVisible(queue, seconds, gone.signal);
      request.raw.socket.off("close", leave);
      if (!here) return reply.hijack();
      body.WaitTimeSeconds = 0; // it has waited
      return undefined;
    }
    const refusal = refuseS3(permissions, { method: method ?? "GET", url: url ?? "/", headers }, Date.now());
    if (refusal === undefined) return undefined;
    const { status, code, message } = refusal;
    const text = message.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
    const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${text}</Message></Error>`;
    return reply
      .status(status)
      .header("content-type", "application/xml")
      .send(method === "HEAD" ? "" : body);
  });
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  return { url, port: Number(new URL(url).port), close: () => engine.close() };
}
