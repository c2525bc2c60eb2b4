import type { z } from "zod";
import { decodeMessage, ResultMessage, WorkItem } from "./messages.ts";
import { UplinkMessage } from "./uplink-message.ts";

/** What a parked message is about, and what is wrong with its body. */
export interface ParkedContent {
  readonly job?: string;
  readonly segment?: number;
  /** Absent: the body is as it should be. */
  readonly problem?: string;
}

/** Looks into a body of a lane, of the results queue or of the uplink queue. Never throws. */
export function contentOf(queue: string, body: string): ParkedContent {
  const schema: z.ZodType<WorkItem | ResultMessage | UplinkMessage> =
    queue === "results" ? ResultMessage : queue === "uplink" ? UplinkMessage : WorkItem;
  try {
    const content = decodeMessage(schema, body);
    return "job" in content ? { job: content.job, segment: content.segment } : {};
  } catch (error) {
    return { problem: problemOf(error) };
  }
}

function problemOf(error: unknown): string {
  if (error instanceof SyntaxError) return "the body is not JSON";
  const [issue] = (error as { readonly issues?: readonly z.core.$ZodIssue[] }).issues ?? [];
  if (issue === undefined) return "the body cannot be read";
  const field = issue.path.map(String).join(".");
  return `the body is malformed${field === "" ? "" : ` at ${field}`}: ${issue.message}`;
}
