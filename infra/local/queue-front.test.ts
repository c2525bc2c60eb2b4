import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { DeleteMessageCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LocalServer } from "./aws-endpoint.ts";
import { Permissions } from "./permissions.ts";
import { openQueueEngine, type QueueEngine } from "./queue-engine.ts";
import { startQueueFront } from "./queue-front.ts";
import { createQueue } from "./sqs.ts";

const region = "eu-central-1";
const arn = (name: string) => `arn:aws:sqs:${region}:000000000000:${name}`;
const url = (name: string) => `http://127.0.0.1/000000000000/${name}`;

describe("queues and objects", () => {
  const permissions = new Permissions();
  permissions.grant("sender", {
    Statement: [
      { Effect: "Allow", Action: "sqs:SendMessage", Resource: arn("bulk") },
      { Effect: "Allow", Action: "s3:PutObject", Resource: "arn:aws:s3:::imports/upload/*" },
    ],
  });
  permissions.grant("worker", {
    Statement: { Effect: "Allow", Action: ["sqs:*", "s3:*"], Resource: "*" },
  });
  const directory = mkdtempSync(join(tmpdir(), "headrace-queues-"));
  let engine: QueueEngine;
  let front: LocalServer;

  const credentialsOf = (role: string) => {
    const { id, secret } = permissions.accessKey("test-function", role);
    return { accessKeyId: id, secretAccessKey: secret };
  };
  const sqs = (role: string) =>
    new SQSClient({ region, endpoint: front.url, credentials: credentialsOf(role), useQueueUrlAsEndpoint: false });
  const s3 = (role: string) => new S3Client({ region, endpoint: front.url, credentials: credentialsOf(role) });

  beforeEach(async () => {
    engine = await openQueueEngine(directory);
    front = await startQueueFront(engine, permissions);
    createQueue(engine.sqs, { name: "parked", url: url("parked"), arn: arn("parked"), attributes: {} });
    createQueue(engine.sqs, {
      name: "bulk",
      url: url("bulk"),
      arn: arn("bulk"),
      attributes: {
        VisibilityTimeout: "1",
        RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arn("parked"), maxReceiveCount: 1 }),
      },
    });
    if (!engine.s3.hasBucket("imports")) engine.s3.createBucket("imports");
  });
  afterEach(async () => {
    await front.close();
  });

  it("sends under a grant, denies a receive without one, and moves what fails to the dead letters", async () => {
    const sender = sqs("sender");
    await sender.send(new SendMessageCommand({ QueueUrl: url("bulk"), MessageBody: "work" }));
    await expect(sender.send(new ReceiveMessageCommand({ QueueUrl: url("bulk") }))).rejects.toThrow(
      `sqs:ReceiveMessage on resource: ${arn("bulk")}`,
    );
    const worker = sqs("worker");
    const receive = (name: string) =>
      worker.send(new ReceiveMessageCommand({ QueueUrl: url(name), WaitTimeSeconds: 2 }));
    expect((await receive("bulk")).Messages?.[0]?.Body).toBe("work");
    expect((await receive("bulk")).Messages).toBeUndefined(); // a second in flight, then a receive too many
    const parked = (await receive("parked")).Messages?.[0];
    expect(parked?.Body).toBe("work");
    await worker.send(new DeleteMessageCommand({ QueueUrl: url("parked"), ReceiptHandle: parked?.ReceiptHandle }));
  });

  it("gives back at once what a receiver took that was killed meanwhile", async () => {
    const killed = new AbortController();
    const waiting = sqs("worker").send(
      new ReceiveMessageCommand({ QueueUrl: url("parked"), WaitTimeSeconds: 20, VisibilityTimeout: 60 }),
      { abortSignal: killed.signal },
    );
    const queue = engine.sqs.getQueueByName("parked");
    await expect.poll(() => queue?.pollWaiters.length).toBe(1);
    killed.abort();
    await expect(waiting).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 50)); // the socket closes
    await sqs("worker").send(new SendMessageCommand({ QueueUrl: url("parked"), MessageBody: "again" }));
    const { Messages } = await sqs("worker").send(
      new ReceiveMessageCommand({ QueueUrl: url("parked"), WaitTimeSeconds: 1 }),
    );
    expect(Messages?.[0]?.Body).toBe("again");
  });

  it("receives from groups with few messages in flight first, as SQS' fair queues do", async () => {
    const QueueUrl = url("parked");
    const send = (MessageBody: string, MessageGroupId?: string) =>
      sqs("worker").send(
        new SendMessageCommand({ QueueUrl, MessageBody, ...(MessageGroupId === undefined ? {} : { MessageGroupId }) }),
      );
    for (let index = 0; index < 12; index++) await send(`flood ${index}`, "flood");
    await send("quiet 0", "quiet");
    await send("third 0", "third");
    const received: (string | undefined)[] = [];
    for (const MaxNumberOfMessages of [1, 2, 10]) {
      const { Messages = [] } = await sqs("worker").send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages }));
      received.push(...Messages.map(({ Body }) => Body));
    }
    expect(received.slice(0, 4)).toEqual(["flood 0", "quiet 0", "third 0", "flood 1"]);
    expect(received).toHaveLength(13);
  });

  it("refuses a body over 256 kB", async () => {
    const large = new SendMessageCommand({ QueueUrl: url("bulk"), MessageBody: "x".repeat(262_145) });
    await expect(sqs("sender").send(large)).rejects.toThrow("shorter than 262144");
  });

  it("takes an upload by a presigned URL of a role that may write there, and no other", async () => {
    const put = (Key: string) => new PutObjectCommand({ Bucket: "imports", Key });
    const address = await getSignedUrl(s3("sender"), put("upload/a b.csv"), { expiresIn: 60 });
    const upload = await fetch(address, { method: "PUT", body: "meterId\nm-1\n" });
    expect(upload.status).toBe(200);
    const { Body } = await s3("worker").send(new GetObjectCommand({ Bucket: "imports", Key: "upload/a b.csv" }));
    expect(await Body?.transformToString()).toBe("meterId\nm-1\n");

    const elsewhere = await getSignedUrl(s3("sender"), put("report/a.csv"), { expiresIn: 60 });
    expect((await fetch(elsewhere, { method: "PUT", body: "x" })).status).toBe(403);
    const edited = address.replace("a%20b.csv", "other.csv");
    expect(await (await fetch(edited, { method: "PUT", body: "x" })).text()).toContain("SignatureDoesNotMatch");
    const late = await getSignedUrl(s3("sender"), put("upload/late.csv"), {
      expiresIn: 60,
      signingDate: new Date(Date.now() - 61_000),
    });
    expect(await (await fetch(late, { method: "PUT", body: "x" })).text()).toContain("expired");
  });

  it("keeps messages and objects in its data folder", async () => {
    await sqs("sender").send(new SendMessageCommand({ QueueUrl: url("bulk"), MessageBody: "kept" }));
    await s3("worker").send(new PutObjectCommand({ Bucket: "imports", Key: "kept", Body: "kept" }));
    await front.close();
    engine = await openQueueEngine(directory);
    front = await startQueueFront(engine, permissions);
    const { Messages } = await sqs("worker").send(new ReceiveMessageCommand({ QueueUrl: url("bulk") }));
    expect(Messages?.[0]?.Body).toBe("kept");
    const { Body } = await s3("worker").send(new GetObjectCommand({ Bucket: "imports", Key: "kept" }));
    expect(await Body?.transformToString()).toBe("kept");
    rmSync(directory, { recursive: true });
  });
});
