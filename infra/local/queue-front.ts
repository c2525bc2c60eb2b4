import type { LocalServer } from "./aws-endpoint.ts";
import type { Permissions } from "./permissions.ts";
import type { QueueEngine } from "./queue-engine.ts";
import { refuseS3 } from "./s3.ts";
import { giveBack, refuseSqs } from "./sqs.ts";

const SQS_JSON = "application/x-amz-json-1.0";

/** Puts permissions before the queues and objects and listens on 127.0.0.1. SQS and S3 share the address. */
export async function startQueueFront(engine: QueueEngine, permissions: Permissions): Promise<LocalServer> {
  const { app, sqs } = engine;
  app.addHook("preHandler", async (request, reply) => {
    const { method, url, headers } = request.raw;
    if (headers["content-type"]?.includes(SQS_JSON) === true) {
      const refusal = refuseSqs(permissions, sqs, {
        operation: String(headers["x-amz-target"] ?? "").replace("AmazonSQS.", ""),
        authorization: headers.authorization,
        body: request.body as Readonly<Record<string, unknown>>,
      });
      if (refusal !== undefined) return reply.status(400).header("content-type", SQS_JSON).send(refusal);
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
  app.addHook("preSerialization", async (request, _reply, payload) => {
    const gone = request.raw.socket.destroyed;
    if (gone && request.raw.headers["x-amz-target"] === "AmazonSQS.ReceiveMessage")
      giveBack(sqs, String((request.body as { QueueUrl?: unknown }).QueueUrl), payload);
    return payload;
  });
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  return { url, port: Number(new URL(url).port), close: () => engine.close() };
}
