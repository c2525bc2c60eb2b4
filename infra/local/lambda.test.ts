import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EventSource } from "./event-source.ts";
import { Lambda } from "./lambda.ts";
import { Permissions } from "./permissions.ts";
import { openQueueEngine } from "./queue-engine.ts";
import { periodOf, Schedule } from "./scheduler.ts";
import { createQueue } from "./sqs.ts";
import { StartupError } from "./startup-error.ts";

const CODE = `
let served = 0;
export const handler = async (event, context) => {
  if (event.do === "spin") for (;;);
  if (event.do === "throw") throw new RangeError("too far");
  if (event.do === "exit") process.exit(3);
  if (event.do === "large") return "x".repeat(7 * 1024 * 1024);
  if (event.Records) {
    const failed = event.Records.filter((record) => record.body === "bad" && record.attributes.ApproximateReceiveCount === "1");
    return { batchItemFailures: failed.map((record) => ({ itemIdentifier: record.messageId })) };
  }
  console.log("served", JSON.stringify(event));
  return { served: ++served, table: process.env.TABLE, path: process.env.PATH ?? null, name: context.functionName };
};
`;
const ARN = "arn:aws:lambda:eu-central-1:000000000000:function:echo";
const directory = mkdtempSync(join(tmpdir(), "headrace-lambda-"));
const lambda = new Lambda();
let logged = "";

beforeAll(() => {
  writeFileSync(join(directory, "index.mjs"), CODE);
  lambda.add({
    entry: join(directory, "index.mjs"),
    exportName: "handler",
    functionName: "echo",
    functionArn: ARN,
    memoryMb: 128,
    env: { TABLE: "ledger" },
    timeoutMs: 500,
    environmentsMax: 2,
    retries: 0,
    log: (text) => {
      logged += text;
    },
  });
});
afterAll(async () => {
  await lambda.close();
  rmSync(directory, { recursive: true });
});

const run = async (event: object) => {
  const answer = await lambda.find("echo")?.invoke(JSON.stringify(event));
  return { failed: answer?.failed, payload: JSON.parse(answer?.payload ?? "null") };
};

describe("a function", () => {
  it("sees the template's environment and nothing of the machine's, and stays warm", async () => {
    const first = await run({});
    expect(first.payload).toEqual({ served: 1, table: "ledger", path: null, name: "echo" });
    expect((await run({})).payload.served).toBe(2);
  });

  it("is ended when it takes longer than its timeout, even in a loop without end", async () => {
    const { failed, payload } = await run({ do: "spin" });
    expect(failed).toBe(true);
    expect(payload.errorMessage).toBe("Task timed out after 0.50 seconds");
    expect((await run({})).failed).toBe(false);
  });

  it("fails by an answer when it throws, exits or answers over 6 MB", async () => {
    expect((await run({ do: "throw" })).payload).toMatchObject({ errorType: "RangeError", errorMessage: "too far" });
    expect((await run({ do: "exit" })).payload.errorType).toBe("Runtime.ExitError");
    expect((await run({ do: "large" })).payload.errorType).toBe("Function.ResponseSizeTooLarge");
  });

  it("is invoked over the API by whose role may, and by nobody else", async () => {
    const permissions = new Permissions();
    permissions.grant("tick", { Statement: { Effect: "Allow", Action: "lambda:InvokeFunction", Resource: ARN } });
    const server = await lambda.serve(permissions);
    const clientOf = (role: string) => {
      const { id, secret } = permissions.accessKey(role, role);
      const credentials = { accessKeyId: id, secretAccessKey: secret };
      return new LambdaClient({ region: "eu-central-1", endpoint: server.url, credentials, maxAttempts: 1 });
    };
    const Payload = JSON.stringify({ asked: "over the API" });
    const answer = await clientOf("tick").send(new InvokeCommand({ FunctionName: "echo", Payload }));
    expect(JSON.parse(answer.Payload?.transformToString() ?? "")).toMatchObject({ table: "ledger" });
    const later = new InvokeCommand({ FunctionName: ARN, Payload, InvocationType: "Event" });
    expect((await clientOf("tick").send(later)).StatusCode).toBe(202);
    await expect(clientOf("other").send(later)).rejects.toThrow(`lambda:InvokeFunction on resource: ${ARN}`);
    const failed = await clientOf("tick").send(new InvokeCommand({ FunctionName: "echo", Payload: '{"do":"throw"}' }));
    expect(failed.FunctionError).toBe("Unhandled");
    await server.close();
  });
});

describe("an event source", () => {
  it("acknowledges what succeeded, and brings back what was named as failed", async () => {
    const engine = await openQueueEngine();
    const arn = "arn:aws:sqs:eu-central-1:000000000000:results";
    const queue = createQueue(engine.sqs, {
      name: "results",
      url: "results",
      arn,
      attributes: { VisibilityTimeout: "1" },
    });
    const target = lambda.find("echo");
    if (target === undefined) throw new Error("no function");
    const settings = { queue, target, batchSize: 10, windowMs: 0, concurrency: 1, region: "eu-central-1" };
    const source = new EventSource(engine.sqs, { ...settings, reportsItemFailures: true, log: () => undefined });
    const { SqsStore } = { SqsStore: engine.sqs.constructor as unknown as { createMessage(body: string): never } };
    for (const body of ["good", "bad", "good"]) queue.enqueue(SqsStore.createMessage(body));
    await expect.poll(() => [queue.messages.length, queue.inflightMessages.size]).toEqual([0, 1]);
    await expect.poll(() => queue.inflightMessages.size, { timeout: 3000 }).toBe(0);
    await source.stop();
    await engine.close();
  });
});

describe("a schedule", () => {
  it("fires at once with the time of its slot", async () => {
    const target = lambda.find("echo");
    if (target === undefined) throw new Error("no function");
    const clock = { now: () => Date.parse("2026-11-23T10:00:30Z"), sleep: () => new Promise<void>(() => undefined) };
    const input = '{"at":"<aws.scheduler.scheduled-time>"}';
    const schedule = new Schedule({
      name: "tick",
      arn: "arn",
      periodMs: periodOf("rate(1 minute)"),
      target,
      input,
      clock,
    });
    schedule.start();
    await expect.poll(() => logged).toContain('"at":"2026-11-23T10:00:00Z"');
    schedule.stop();
  });

  it("says which expressions it knows", () => {
    expect(periodOf("rate(5 minutes)")).toBe(300_000);
    expect(() => periodOf("cron(0 2 * * ? *)")).toThrow(StartupError);
  });
});
