import { z } from "zod";
import { decodeMessage, ResultMessage, WorkItem } from "./messages.ts";
import { UplinkMessage } from "./uplink-message.ts";

const About = z
  .object({ job: z.string().optional(), segment: z.int().optional(), subscriptionId: z.string().optional() })
  .transform(({ job, segment, subscriptionId: subscription }) => ({
    ...(job === undefined || segment === undefined ? {} : { job, segment }),
    ...(subscription === undefined ? {} : { subscription }),
  }));

/** What a parked message is about, and what is wrong with its body. */
export interface ParkedContent {
  readonly job?: string;
  readonly segment?: number;
  readonly subscription?: string;
  /** Absent: the body is as it should be. */
  readonly problem?: string;
}

/** Looks into a body of a lane, of the results queue or of the uplink queue; `other`: what another queue holds. Never throws. */
export function contentOf(queue: string, body: string, other?: z.ZodType<object>): ParkedContent {
  const schema: z.ZodType<object> =
    other ?? (queue === "results" ? ResultMessage : queue === "uplink" ? UplinkMessage : WorkItem);
  try {
    const content = decodeMessage(schema, body);
    return About.parse(content);
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
