import { SendMessageBatchCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type { Lane } from "../../shared/jobs/lane.ts";
import type { Lanes } from "../../shared/jobs/lanes.ts";
import { encodeMessage, WorkItem } from "../../shared/jobs/messages.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";

const BATCH = 10; // entries in one SendMessageBatch
const CONCURRENT = 8;

/** The lanes on SQS. `urls`: only the lanes that the caller may send to. */
export const sqsLanes = (sqs: SQSClient, urls: Readonly<Partial<Record<Lane, string>>>): Lanes => ({
  async send(lane, items) {
    const QueueUrl = urls[lane];
    if (QueueUrl === undefined)
      throw new HeadraceError("lane.unknown", `expected a queue for lane ${lane}, got none`, { retry: "never" });
    const batches: WorkItem[][] = [];
    for (let at = 0; at < items.length; at += BATCH) batches.push(items.slice(at, at + BATCH));
    const sendNext = async (): Promise<void> => {
      for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
        // A fair queue: SQS receives from the groups that have few messages in flight first.
        const Entries = batch.map((item, index) => ({
          Id: String(index),
          MessageBody: encodeMessage(WorkItem, item),
          ...(item.share === undefined ? {} : { MessageGroupId: item.share }),
        }));
        const { Failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
        const first = Failed[0];
        if (first !== undefined)
          throw new HeadraceError(
            "lane.send-failed",
            `${Failed.length} of ${batch.length} messages were not accepted`,
            {
              retry: "later",
              detail: { lane, code: first.Code, message: first.Message },
            },
          );
      }
    };
    await Promise.all(Array.from({ length: Math.min(CONCURRENT, batches.length) }, sendNext));
  },
});
