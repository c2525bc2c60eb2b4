import { setTimeout as pause } from "node:timers/promises";
import type { LambdaFunction } from "./lambda.ts";
import type { SqsStore } from "./queue-engine.ts";
import { type Queue, type Received, receive } from "./sqs.ts";

export interface EventSourceSettings {
  readonly queue: Queue;
  readonly target: LambdaFunction;
  readonly batchSize: number;
  /** Milliseconds that a batch waits to fill; 0: none. */
  readonly windowMs: number;
  /** Batches at once. */
  readonly concurrency: number;
  /** The function tells which messages failed; else a batch succeeds or fails as a whole. */
  readonly reportsItemFailures: boolean;
  readonly region: string;
  readonly log: (text: string) => void;
}

/** After a failed batch, doubled each time: a function that cannot work is not hammered. */
const BACKOFF_MS = 200;
const BACKOFF_MAX_MS = 10_000;

/** Polls a queue and hands batches to a function; what it does not acknowledge comes back when its visibility ends. */
export class EventSource {
  readonly #settings: EventSourceSettings;
  readonly #sqs: SqsStore;
  readonly #stopping = new AbortController();
  readonly #pollers: Promise<void>[];

  constructor(sqs: SqsStore, settings: EventSourceSettings) {
    this.#sqs = sqs;
    this.#settings = settings;
    this.#pollers = Array.from({ length: settings.concurrency }, () => this.#poll());
  }

  /** Resolves when the batches in hand are done. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#pollers);
  }

  async #poll(): Promise<void> {
    const { signal } = this.#stopping;
    let failures = 0;
    while (!signal.aborted) {
      const batch = await this.#batch();
      if (batch.length === 0) continue;
      failures = (await this.#deliver(batch)) ? 0 : failures + 1;
      if (failures === 0) continue;
      const wait = Math.min(BACKOFF_MS * 2 ** (failures - 1), BACKOFF_MAX_MS);
      await pause(wait, undefined, { signal }).catch(() => undefined); // aborted: the loop ends by itself
    }
  }

  async #batch(): Promise<Received[]> {
    const { queue, batchSize, windowMs } = this.#settings;
    const { signal } = this.#stopping;
    const batch = await receive(this.#sqs, queue, batchSize, signal);
    if (batch.length === 0) return batch;
    const until = Date.now() + windowMs;
    while (batch.length < batchSize && !signal.aborted) {
      const more = queue.messages.length > 0 ? await receive(this.#sqs, queue, batchSize - batch.length, signal) : [];
      batch.push(...more);
      if (more.length > 0) continue;
      if (Date.now() >= until) break;
      await pause(Math.min(50, until - Date.now()));
    }
    return batch;
  }

  /** True when at least one message was acknowledged. */
  async #deliver(batch: readonly Received[]): Promise<boolean> {
    const { queue, target, region, reportsItemFailures, log } = this.#settings;
    const records = batch.map((message) => ({
      ...message,
      eventSource: "aws:sqs",
      eventSourceARN: queue.arn,
      awsRegion: region,
    }));
    const { payload, failed } = await target.invoke(JSON.stringify({ Records: records }));
    if (failed) {
      log(`${target.name}: batch of ${batch.length} failed\n`);
      return false;
    }
    const failures = reportsItemFailures ? failuresOf(payload) : new Set<string>();
    const known = new Set(batch.map(({ messageId }) => messageId));
    // As on AWS: an answer that names a message which was not in the batch fails the whole batch.
    if (failures === undefined || [...failures].some((id) => !known.has(id))) {
      log(`${target.name}: ${payload.slice(0, 200)} is no partial batch response\n`);
      return false;
    }
    for (const message of batch) if (!failures.has(message.messageId)) queue.deleteMessage(message.receiptHandle);
    return failures.size < batch.length;
  }
}

/** Undefined when the answer is malformed, which fails the batch. */
function failuresOf(payload: string): Set<string> | undefined {
  const answer = JSON.parse(payload) as { readonly batchItemFailures?: unknown } | null;
  const failures = answer?.batchItemFailures ?? [];
  if (!Array.isArray(failures)) return undefined;
  const ids = failures.map((failure: unknown) => (failure as { itemIdentifier?: unknown } | null)?.itemIdentifier);
  return ids.every((id) => typeof id === "string" && id !== "") ? new Set(ids as string[]) : undefined;
}
