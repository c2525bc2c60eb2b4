import { z } from "zod";
import type { PushBatch } from "../jobs/push-message.ts";
import { PushReport } from "../jobs/push-message.ts";
import { EVENTS } from "../metering/event-catalogue.ts";
import {
  BATCH_CHARACTERS,
  BATCH_MS,
  BATCH_TASKS,
  type ResultGroup,
  type ResultPorts,
  sendBatch,
} from "./result-batcher.ts";

/** What meters said by themselves, on its way to ingest. */
export interface PushBatcher {
  /**
   * Resolves when the results queue has it, and rejects when the queue would not take it: only then may a meter that waits
   * for it be told that its push has arrived. An alarm goes at once and by a group of its own; the rest of a segment's
   * waits for company: a second at the most where the meter waits for a confirmation, else ten.
   */
  add(segment: number, report: PushReport, confirmed?: boolean): Promise<void>;
  /** Sends what waits; resolves when everything is out, or given up. */
  flush(): Promise<void>;
}

/**
 * How long a push that nobody waits for waits for company, ms. Meters spread their pushes over the period; what each batch
 * costs (an object, a message, the fleet columns of its segment) is shared by those that it holds.
 */
export const COMPANY_MS = 10_000;

const isUrgent = ({ events = [] }: PushReport): boolean => events.some(({ e }) => EVENTS[e].severity === "alarm");

interface Waiting {
  readonly texts: string[];
  characters: number;
  readonly timer: AbortController;
  readonly sent: Promise<void>;
  readonly settle: (sending: Promise<void>) => void;
  /** Somebody waits for a confirmation. */
  soon: boolean;
}

/** `bridgeId`: unique to this run and to this batcher, so that its batches are too. */
export function pushBatcher(ports: ResultPorts): PushBatcher {
  const { clock, bridgeId } = ports;
  let batches = 0;
  const waiting = new Map<number, Waiting>();
  const underWay = new Set<Promise<void>>();

  const send = (segment: number, group: ResultGroup, texts: readonly string[]): Promise<void> => {
    const envelope: Omit<PushBatch, "pushes"> = {
      v: 1,
      batch: `${bridgeId}-${++batches}`,
      bridge: bridgeId,
      segment,
      sentAt: clock.now(),
    };
    const text = `${JSON.stringify(envelope).slice(0, -1)},"pushes":[${texts.join(",")}]}`;
    const sending = sendBatch(ports, group, envelope, text);
    const over = (): void => void underWay.delete(sending);
    underWay.add(sending);
    sending.then(over, over); // each report's own promise tells of a failure
    return sending;
  };

  const flushSegment = (segment: number): void => {
    const ready = waiting.get(segment);
    if (ready === undefined) return;
    waiting.delete(segment);
    ready.timer.abort();
    ready.settle(send(segment, "pushes", ready.texts));
  };

  const flushAfter = (segment: number, ms: number, signal: AbortSignal): void => {
    clock.sleep(ms, signal).then(
      () => flushSegment(segment),
      () => undefined, // flushed before
    );
  };

  const open = (segment: number): Waiting => {
    const timer = new AbortController();
    let settle: Waiting["settle"] = () => undefined;
    const sent = new Promise<void>((resolve) => {
      settle = resolve;
    });
    sent.catch(() => undefined);
    const opened: Waiting = { texts: [], characters: 0, timer, sent, settle, soon: false };
    waiting.set(segment, opened);
    flushAfter(segment, COMPANY_MS, timer.signal);
    return opened;
  };

  return {
    add(segment, report, confirmed = false) {
      const text = JSON.stringify(z.encode(PushReport, report));
      if (isUrgent(report)) return send(segment, "alarms", [text]);
      if ((waiting.get(segment)?.characters ?? 0) + text.length > BATCH_CHARACTERS) flushSegment(segment);
      const there = waiting.get(segment) ?? open(segment);
      there.texts.push(text);
      there.characters += text.length + 1;
      if (there.texts.length >= BATCH_TASKS) flushSegment(segment);
      else if (confirmed && !there.soon) {
        there.soon = true;
        flushAfter(segment, BATCH_MS, there.timer.signal);
      }
      return there.sent;
    },
    async flush() {
      for (const segment of [...waiting.keys()]) flushSegment(segment);
      await Promise.allSettled(underWay);
    },
  };
}
