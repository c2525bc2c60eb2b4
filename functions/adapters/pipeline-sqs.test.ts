import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import { describe, expect, it } from "vitest";
import { quiet } from "../../test/quiet.ts";
import { sqsHandler } from "./pipeline-sqs.ts";

quiet();

const recordOf = (messageId: string, group: string): SQSRecord => ({
  messageId,
  receiptHandle: messageId,
  body: messageId,
  attributes: {
    ApproximateReceiveCount: "1",
    SentTimestamp: "0",
    SenderId: "test",
    ApproximateFirstReceiveTimestamp: "0",
    MessageGroupId: group,
  },
  messageAttributes: {},
  md5OfBody: "",
  eventSource: "aws:sqs",
  eventSourceARN: "arn:aws:sqs:eu-central-1:000000000000:results",
  awsRegion: "eu-central-1",
});
const context = { awsRequestId: "r", getRemainingTimeInMillis: () => 10_000 } as Context;

describe("the pipeline of a queue's function", () => {
  const steps: string[] = [];
  const handle = sqsHandler(
    async (body) => {
      steps.push(`${body} begins`);
      await new Promise((resolve) => setTimeout(resolve, 5));
      steps.push(`${body} ends`);
      if (body.endsWith("bad")) throw new Error("no good");
      return {};
    },
    ({ attributes }) => attributes.MessageGroupId === "interactive",
  );
  const run = (...Records: SQSRecord[]): Promise<SQSBatchResponse> => handle({ Records } satisfies SQSEvent, context);

  it("does what is waited for before it begins the rest, and answers every failure by its id", async () => {
    const records = [recordOf("bulk-1", "bulk"), recordOf("read-bad", "interactive"), recordOf("bulk-bad", "bulk")];
    const { batchItemFailures } = await run(...records, recordOf("read-1", "interactive"));
    expect(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier).sort()).toEqual(["bulk-bad", "read-bad"]);
    const ends = Math.max(steps.indexOf("read-bad ends"), steps.indexOf("read-1 ends"));
    expect(ends).toBeLessThan(steps.indexOf("bulk-1 begins"));
    expect(steps.indexOf("bulk-bad begins")).toBeGreaterThan(ends);
  });

  it("answers an empty list when nothing failed", async () => {
    expect(await run(recordOf("bulk-2", "bulk"))).toEqual({ batchItemFailures: [] });
  });
});
