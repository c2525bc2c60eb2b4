import { z } from "zod";
import type { Batches, BatchName } from "../jobs/batches.ts";
import type { Lane } from "../jobs/lane.ts";
import { encodeMessage, type ResultBatch, ResultMessage, TaskReport, type WorkItem } from "../jobs/messages.ts";
import type { Clock } from "../ports/clock.ts";

/** Tasks of one batch. */
export const BATCH_TASKS = 100;
/** Characters of one message; what is larger goes as an object, and the message names it. */
export const BATCH_CHARACTERS = 200_000;
/** How long a report waits for company, ms. */
export const BATCH_MS = 1_000;
/** A batch that cannot be sent is tried again so often, after 0.5 s, 1 s, 2 s, … */
const SEND_TRIES = 6;
/** Room for the fields around the tasks. */
const ENVELOPE = 600;

/** Whose turn a message of the results queue is: its lane's, of what meters push, or of the alarms among it. */
export type ResultGroup = Lane | "pushes" | "alarms";

export interface ResultQueue {
  /** Throws when the message was not accepted. Results of one group must not wait behind those of another. */
  send(body: string, group: ResultGroup): Promise<void>;
}

export interface ResultPorts {
  readonly clock: Clock;
  readonly queue: ResultQueue;
  readonly batches: Pick<Batches, "putText">;
  /** Unique to this run of the bridge, so that its batches are too. */
  readonly bridgeId: string;
}

/** Reports of one slice on their way to ingest. */
export interface SliceReports {
  /** `last`: nothing more comes before `finish`, so don't send this one by itself. */
  add(report: TaskReport, last: boolean): void;
  /** Sends what waits, with `passOver` as its end. Rejects when any batch of the slice could not be sent. */
  finish(passOver: boolean): Promise<void>;
}

export interface ResultBatcher {
  open(lane: Lane, item: WorkItem): SliceReports;
}

/**
 * Sends a batch, by way of an object where it is large. Storing and sending may both be repeated: the same batch is the
 * same object, and ingest takes it once.
 */
export async function sendBatch(
  { clock, queue, batches }: Pick<ResultPorts, "clock" | "queue" | "batches">,
  group: ResultGroup,
  name: BatchName,
  text: string,
): Promise<void> {
  for (let attempt = 1; ; attempt++)
    try {
      const body =
        text.length <= BATCH_CHARACTERS
          ? text
          : encodeMessage(ResultMessage, { v: 1, object: await batches.putText(name, text) });
      return await queue.send(body, group);
    } catch (error) {
      if (attempt === SEND_TRIES) throw error;
      await clock.sleep(250 * 2 ** attempt);
    }
}

export function resultBatcher(ports: ResultPorts): ResultBatcher {
  let batches = 0;
  const { clock } = ports;

  return {
    open(lane, item) {
      const atOnce = lane === "commands" || lane === "interactive";
      let texts: string[] = [];
      let characters = ENVELOPE;
      let timer: AbortController | undefined;
      const sent: Promise<void>[] = [];

      const flush = (passOver: boolean): void => {
        timer?.abort();
        timer = undefined;
        if (texts.length === 0 && !passOver) return;
        const envelope: Omit<ResultBatch, "tasks"> = {
          v: 1,
          batch: `${ports.bridgeId}-${++batches}`,
          bridge: ports.bridgeId,
          lane,
          job: item.job,
          segment: item.segment,
          part: item.part,
          generation: item.generation,
          sentAt: clock.now(),
          passOver,
        };
        const text = `${JSON.stringify(envelope).slice(0, -1)},"tasks":[${texts.join(",")}]}`;
        const sending = sendBatch(ports, lane, envelope, text);
        sending.catch(() => undefined); // finish() answers for it
        sent.push(sending);
        texts = [];
        characters = ENVELOPE;
      };
      const flushLater = (): void => {
        const waiting = new AbortController();
        timer = waiting;
        clock.sleep(BATCH_MS, waiting.signal).then(
          () => flush(false),
          () => undefined, // flushed before
        );
      };

      return {
        add(report, last) {
          const text = JSON.stringify(z.encode(TaskReport, report));
          if (texts.length > 0 && characters + text.length > BATCH_CHARACTERS) flush(false);
          texts.push(text);
          characters += text.length + 1;
          if (last) return;
          if (atOnce || texts.length === BATCH_TASKS || characters > BATCH_CHARACTERS) flush(false);
          else if (timer === undefined) flushLater();
        },
        async finish(passOver) {
          await Promise.all(sent); // a pass is not over before everything that was read in it is out
          flush(passOver);
          await Promise.all(sent);
        },
      };
    },
  };
}
