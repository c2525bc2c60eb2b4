import { z } from "zod";
import { SEGMENT_SLOTS } from "../metering/meter.ts";
import { ResultBatch, ResultMessage, TaskReport } from "./messages.ts";
import { PushBatch, PushReport } from "./push-message.ts";

const Envelope = ResultBatch.omit({ tasks: true }).extend({ tasks: z.array(z.unknown()) });
export type ResultEnvelope = Omit<ResultBatch, "tasks">;
const PushEnvelope = PushBatch.omit({ pushes: true }).extend({ pushes: z.array(z.unknown()) });
export type PushEnvelope = Omit<PushBatch, "pushes">;
const Located = z.object({
  slot: z
    .int()
    .min(0)
    .max(SEGMENT_SLOTS - 1),
});

/** A report whose content does not fit its schema: kept as evidence, never as a reading. */
export interface BadReport {
  /** Undefined: not even the slot can be told. */
  readonly slot?: number;
  /** Where it went wrong and what was expected. */
  readonly problem: string;
}

export type ReceivedResults =
  | { readonly kind: "object"; readonly object: string }
  | {
      readonly kind: "batch";
      readonly envelope: ResultEnvelope;
      readonly reports: readonly TaskReport[];
      readonly bad: readonly BadReport[];
    }
  | {
      readonly kind: "pushes";
      readonly envelope: PushEnvelope;
      /** Each with its number in the batch. */
      readonly pushes: readonly { readonly index: number; readonly push: PushReport }[];
      readonly bad: readonly BadReport[];
    };

/**
 * Reads a results message. One meter's bad content never fails its batch: each report is read by itself. Throws ZodError
 * or SyntaxError when the envelope itself cannot be read: the message is poison.
 */
export function readResults(text: string): ReceivedResults {
  const content: unknown = JSON.parse(text);
  const named = ResultMessage.options[1].safeParse(content);
  if (named.success) return { kind: "object", object: named.data.object };
  if (typeof content === "object" && content !== null && "pushes" in content) return readPushes(content);
  const { tasks, ...envelope } = Envelope.parse(content);
  const reports: TaskReport[] = [];
  const bad: BadReport[] = [];
  for (const task of tasks) {
    const report = TaskReport.safeParse(task);
    if (report.success) reports.push(report.data);
    else bad.push(badReport(task, report.error));
  }
  return { kind: "batch", envelope, reports, bad };
}

function readPushes(content: unknown): ReceivedResults {
  const { pushes: given, ...envelope } = PushEnvelope.parse(content);
  const pushes: { readonly index: number; readonly push: PushReport }[] = [];
  const bad: BadReport[] = [];
  for (const [index, one] of given.entries()) {
    const report = PushReport.safeParse(one);
    if (report.success) pushes.push({ index, push: report.data });
    else bad.push(badReport(one, report.error));
  }
  return { kind: "pushes", envelope, pushes, bad };
}

function badReport(report: unknown, error: z.ZodError): BadReport {
  const located = Located.safeParse(report);
  const [first] = error.issues;
  const problem = `${first?.path.join(".") ?? ""}: ${first?.message ?? "not a report"}`;
  return { problem, ...(located.success ? { slot: located.data.slot } : {}) };
}
