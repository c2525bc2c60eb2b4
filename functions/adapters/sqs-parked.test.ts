import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LocalServer } from "../../infra/local/aws-endpoint.ts";
import { Permissions } from "../../infra/local/permissions.ts";
import { openQueueEngine } from "../../infra/local/queue-engine.ts";
import { startQueueFront } from "../../infra/local/queue-front.ts";
import { createQueue } from "../../infra/local/sqs.ts";
import { contentOf } from "../../shared/jobs/parked-message.ts";
import { type ParkedQueue, sqsParked } from "./sqs-parked.ts";
import { parking } from "./sqs-parking.ts";

const region = "eu-central-1";
const url = (name: string) => `http://127.0.0.1/000000000000/${name}`;
const [bulk, parked] = [url("bulk"), url("parked")];
let front: LocalServer;
let sqs: SQSClient;
let queue: ParkedQueue;

beforeAll(async () => {
  const engine = await openQueueEngine();
  const permissions = new Permissions();
  permissions.grant("worker", { Statement: { Effect: "Allow", Action: "sqs:*", Resource: "*" } });
  front = await startQueueFront(engine, permissions);
  for (const name of ["bulk", "parked"])
    createQueue(engine.sqs, {
      name,
      url: url(name),
      arn: `arn:aws:sqs:${region}:000000000000:${name}`,
      attributes: {},
    });
  const { id, secret } = permissions.accessKey("manage-parked", "worker");
  const credentials = { accessKeyId: id, secretAccessKey: secret };
  sqs = new SQSClient({ region, endpoint: front.url, credentials, useQueueUrlAsEndpoint: false });
  queue = sqsParked(sqs, parked, bulk);
});
afterAll(() => front.close());

const job = "0123456789abcdefghijklmnop";
const workItem = (segment: number) => JSON.stringify({ v: 1, job, segment, part: 0, generation: 1 });

describe("parked messages", () => {
  it("are listed with their reason and stay where they are", async () => {
    await parking(sqs, parked)("{", "SyntaxError: not JSON");
    await sqs.send(new SendMessageCommand({ QueueUrl: parked, MessageBody: workItem(7) }));
    for (let round = 0; round < 2; round++) {
      const listed = await queue.list(25);
      expect(listed).toHaveLength(2);
      expect(listed.map(({ reason }) => reason).sort()).toEqual(["SyntaxError: not JSON", undefined]);
      expect(listed.every(({ receives, sentAt }) => receives > round && sentAt > 0)).toBe(true);
    }
    expect(await queue.count()).toBe(2);
  });

  it("are sent to their queue again, those that are named or all, and are gone", async () => {
    const listed = await queue.list(25);
    const named = listed.find(({ body }) => body === workItem(7));
    expect(await queue.replay([named?.messageId ?? ""], 1000)).toBe(1);
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: bulk, MaxNumberOfMessages: 10 }));
    expect(Messages.map(({ Body }) => Body)).toEqual([workItem(7)]);
    expect(await queue.count()).toBe(1);
    for (let segment = 0; segment < 25; segment++)
      await sqs.send(new SendMessageCommand({ QueueUrl: parked, MessageBody: workItem(segment) }));
    expect(await queue.replay(undefined, 1000)).toBe(26);
    expect(await queue.count()).toBe(0);
  });
});

describe("a parked body", () => {
  it.each([
    ["bulk", workItem(3), { job, segment: 3 }],
    ["bulk", "{", { problem: "the body is not JSON" }],
    ["results", JSON.stringify({ v: 1, object: "batches/x" }), {}],
  ])("of %s: %s", (name, body, content) => expect(contentOf(name, body)).toEqual(content));

  it("that is malformed says where", () => {
    expect(contentOf("bulk", JSON.stringify({ v: 1, job, segment: -1, part: 0, generation: 1 })).problem).toContain(
      "segment",
    );
    expect(contentOf("results", "{}").problem).toContain("malformed");
  });
});
