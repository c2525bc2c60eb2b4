import { DeleteMessageCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { s3Batches } from "../../functions/adapters/s3-batches.ts";
import { sqsLanes } from "../../functions/adapters/sqs-lanes.ts";
import { parking, REASON_ATTRIBUTE } from "../../functions/adapters/sqs-parking.ts";
import { type Batches, batchObject, batchReference } from "../../shared/jobs/batches.ts";
import { JobId } from "../../shared/jobs/job.ts";
import { memoryBatches } from "../../shared/jobs/memory-batches.ts";
import { decodeMessage, encodeMessage, ResultBatch, WorkItem } from "../../shared/jobs/messages.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { type EmbeddedSqs, embeddedSqs } from "./embedded-sqs.ts";

let embedded: EmbeddedSqs;
beforeAll(async () => {
  embedded = await embeddedSqs();
});
afterAll(() => embedded.close());

const job = JobId.parse("a".repeat(26));
async function drained(QueueUrl: string): Promise<string[]> {
  const bodies: string[] = [];
  for (;;) {
    const { Messages = [] } = await embedded.sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    if (Messages.length === 0) return bodies;
    for (const { Body = "", ReceiptHandle } of Messages) {
      bodies.push(Body);
      await embedded.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    }
  }
}

describe("lanes on SQS", () => {
  it("carry every work item to the queue of their lane, in batches", async () => {
    const [bulk, urgent] = [await embedded.queue("bulk"), await embedded.queue("urgent")];
    const lanes = sqsLanes(embedded.sqs, { bulk, urgent });
    const items = Array.from({ length: 37 }, (_, segment) => ({ v: 1 as const, job, segment, part: 0, generation: 1 }));
    await lanes.send("bulk", items);
    await lanes.send("urgent", []);
    const received = (await drained(bulk)).map((body) => decodeMessage(WorkItem, body));
    expect(received.sort((left, right) => left.segment - right.segment)).toEqual(items);
    expect(await drained(urgent)).toEqual([]);
  });

  it("refuse a lane that has no queue here, and say so when a queue is gone", async () => {
    const lanes = sqsLanes(embedded.sqs, { urgent: `${await embedded.queue("gone")}-away` });
    const item = { v: 1 as const, job, segment: 0, part: 0, generation: 1 };
    await expect(lanes.send("commands", [item])).rejects.toMatchObject({ code: "lane.unknown" });
    await expect(lanes.send("urgent", [item])).rejects.toThrow();
  });

  it("park a message with its reason", async () => {
    const QueueUrl = await embedded.queue("parked");
    await parking(embedded.sqs, QueueUrl)("poison", "expected a batch");
    const { Messages = [] } = await embedded.sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MessageAttributeNames: [REASON_ATTRIBUTE] }),
    );
    expect(Messages[0]?.Body).toBe("poison");
    expect(Messages[0]?.MessageAttributes?.[REASON_ATTRIBUTE]?.StringValue).toBe("expected a batch");
  });
});

describe.each<{ name: string; open: () => Promise<Batches> }>([
  { name: "in memory", open: async () => memoryBatches(nodeCrypto) },
  { name: "on S3", open: async () => s3Batches(embedded.s3, await embedded.bucket("evidence")) },
])("result batches $name", ({ open }) => {
  const batch: ResultBatch = {
    v: 1,
    batch: "bridge-1/7",
    bridge: "bridge-1",
    lane: "bulk",
    job,
    segment: 5,
    part: 0,
    generation: 2,
    sentAt: 9,
    tasks: [],
    passOver: true,
  };

  it("are found by the reference that readings keep", async () => {
    const batches = await open();
    const object = await batches.put(batch);
    expect(object).toBe(batchObject(batchReference(nodeCrypto, batch)));
    expect(decodeMessage(ResultBatch, (await batches.get(object)) ?? "")).toEqual(batch);
    expect(await batches.putText(batch, encodeMessage(ResultBatch, batch))).toBe(object);
    expect(await batches.get("batches/00/0000000000000000.json")).toBeUndefined();
  });

  it("have references of 8 octets that differ with every part of the name", () => {
    const references = [batch, { ...batch, part: 1 }, { ...batch, segment: 50 }, { ...batch, batch: "bridge-1/8" }].map(
      (name) => batchReference(nodeCrypto, name),
    );
    expect(new Set(references).size).toBe(4);
    for (const reference of references) expect(reference).toMatch(/^[0-9a-f]{16}$/);
  });
});
