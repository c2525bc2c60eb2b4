import { z } from "zod";
import { SEGMENT_SLOTS } from "../metering/meter.ts";
import { ResultBatch, ResultMessage, TaskReport } from "./messages.ts";

const Envelope = ResultBatch.omit({ tasks: true }).extend({ tasks: z.array(z.unknown()) });
export type ResultEnvelope = Omit<ResultBatch, "tasks">;
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
    };

/**
 * Reads a results message. One meter's bad content never fails its batch: each report is read by itself. Throws ZodError
 * or SyntaxError when the envelope itself cannot be read: the message is poison.
 */
export function readResults(text: string): ReceivedResults {
  const content: unknown = JSON.parse(text);
  const named = ResultMessage.options[1].safeParse(content);
  if (named.success) return { kind: "object", object: named.data.object };
  const { tasks, ...envelope } = Envelope.parse(content);
  const reports: TaskReport[] = [];
  const bad: BadReport[] = [];
  for (const task of tasks) {
    const report = TaskReport.safeParse(task);
    if (report.success) {
      reports.push(report.data);
      continue;
    }
    const located = Located.safeParse(task);
    const [first] = report.error.issues;
    const problem = `${first?.path.join(".") ?? ""}: ${first?.message ?? "not a report"}`;
    bad.push({ problem, ...(located.success ? { slot: located.data.slot } : {}) });
  }
  return { kind: "batch", envelope, reports, bad };
}
