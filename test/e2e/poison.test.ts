import { randomUUID } from "node:crypto";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { batchObject, batchReference } from "../../shared/jobs/batches.ts";
import { JobId } from "../../shared/jobs/job.ts";
import { encodeMessage, ResultBatch, ResultMessage } from "../../shared/jobs/messages.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { Deployment, until } from "./deployment.ts";

interface ParkedList {
  readonly count: number;
  readonly messages: readonly { readonly messageId: string; readonly reason: string }[];
}
interface MeterView {
  readonly meterId: string;
  readonly segment: number;
  readonly slot: number;
}
interface Readings {
  readonly registers: readonly { readonly measurement: string; readonly value: string }[];
}
/** What local mode tells of its stand-ins: endpoints, an administrative key, names. */
type Aws = Readonly<Record<string, string>>;

describe("a message that cannot be handled", () => {
  let headend: Deployment;
  let aws: Aws;
  let sqs: SQSClient;
  let s3: S3Client;
  beforeAll(async () => {
    headend = await Deployment.start(["--meters", "4"]);
    ({ aws } = (await headend.call<{ readonly aws: Aws }>(undefined, "GET", "/local/processes")).body);
    const shared = {
      region: aws.AWS_REGION ?? "",
      credentials: { accessKeyId: aws.AWS_ACCESS_KEY_ID ?? "", secretAccessKey: aws.AWS_SECRET_ACCESS_KEY ?? "" },
    };
    sqs = new SQSClient({ ...shared, endpoint: aws.AWS_ENDPOINT_URL_SQS ?? "", useQueueUrlAsEndpoint: false });
    s3 = new S3Client({ ...shared, endpoint: aws.AWS_ENDPOINT_URL_S3 ?? "", forcePathStyle: true });
  }, 180_000);
  afterAll(async () => {
    sqs?.destroy();
    s3?.destroy();
    expect(await headend?.stop()).toBe(0);
  });

  const send = (queue: string, MessageBody: string) =>
    sqs.send(new SendMessageCommand({ QueueUrl: aws[`${queue}_QUEUE_URL`], MessageBody }));
  const parked = (queue: string): Promise<ParkedList["messages"][number]> =>
    until(30_000, `a parked message of ${queue}`, async () => {
      const { body } = await headend.call<ParkedList>("administrator", "GET", `/parked/${queue}`);
      return body.messages[0];
    });
  const replay = (queue: string, messageId: string) =>
    headend.call<{ readonly replayed: number }>("administrator", "POST", `/parked/${queue}/replay`, {
      messageIds: [messageId],
    });

  it("of a lane is parked with its reason, and again after a replay that changes nothing", async () => {
    await send("BULK", "neither JSON nor anything else");
    const first = await parked("bulk");
    expect(first.reason).toBe("the body is not JSON");
    expect((await replay("bulk", first.messageId)).body.replayed).toBe(1);
    const again = await until(30_000, "the message to be parked again", async () => {
      const message = await parked("bulk");
      return message.messageId === first.messageId ? undefined : message;
    });
    expect(again.reason).toBe("the body is not JSON");
    const good = await headend.runJob({ operation: { kind: "readRegisters" }, target: { kind: "all" }, lane: "bulk" });
    expect(good.progress.done).toBe(4);
  });

  it("of the results is parked with its reason; once the evidence is there a replay stores its readings", async () => {
    const { body } = await headend.call<{ readonly meters: readonly MeterView[] }>(
      "operator",
      "GET",
      "/meters?limit=1",
    );
    const [meter] = body.meters;
    if (meter === undefined) throw new Error("expected a meter");
    const at = Date.now() - 60_000;
    const batch: ResultBatch = {
      v: 1,
      batch: `test-${randomUUID()}`,
      bridge: "test",
      lane: "bulk",
      job: JobId.parse("0".repeat(26)), // long gone: its readings count all the same
      segment: meter.segment,
      part: 0,
      generation: 1,
      sentAt: at,
      passOver: true,
      tasks: [
        {
          slot: meter.slot,
          meterId: MeterId.parse(meter.meterId),
          attempt: 1,
          at,
          outcome: { kind: "done" },
          registers: [{ m: "demand.active.import.max", v: 987_654_321n, s: 0, at }],
        },
      ],
    };
    const object = batchObject(batchReference(nodeCrypto, batch));
    await send("RESULTS", encodeMessage(ResultMessage, { v: 1, object }));
    const message = await parked("results");
    expect(message.reason).toContain(`expected the result batch ${object}, found none`);
    const stored = async () => {
      const path = `/meters/${meter.meterId}/readings`;
      const { body: readings } = await headend.call<Readings>("operator", "GET", path);
      return readings.registers.find(({ value }) => value === "987654321");
    };
    expect(await stored()).toBeUndefined();

    const Body = encodeMessage(ResultBatch, batch);
    await s3.send(new PutObjectCommand({ Bucket: aws.EVIDENCE_BUCKET, Key: object, Body }));
    expect((await replay("results", message.messageId)).body.replayed).toBe(1);
    const register = await until(30_000, "the readings to appear", stored);
    expect(register.measurement).toBe("demand.active.import.max");
    const { body: rest } = await headend.call<ParkedList>("administrator", "GET", "/parked/results");
    expect(rest.count).toBe(0);
  });
});
