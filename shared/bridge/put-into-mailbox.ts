import type { AccessItem } from "../jobs/access.ts";
import type { Job } from "../jobs/job.ts";
import { changeMailbox, type Mailboxes, withMail } from "../jobs/mailbox.ts";
import { isOrder, orderNumber } from "../jobs/orders.ts";
import type { Slice } from "../jobs/slice.ts";
import { isMailOperation } from "../metering/mailbox.ts";
import type { Clock } from "../ports/clock.ts";
import { refusal } from "./failure-of.ts";
import type { TaskEnd } from "./task-report.ts";

/** An endpoint whose newest order is another one keeps this one from being sent. */
export const SUPERSEDED: TaskEnd & { readonly kind: "cancelled" } = {
  kind: "cancelled",
  reason: "superseded",
  code: "order.newer",
};
export const isSuperseded = (job: Job, { lastOrder }: Pick<AccessItem, "lastOrder">): boolean =>
  isOrder(job) && lastOrder > orderNumber(job);

/**
 * A task of an endpoint that sleeps: written down once, it waits for the endpoint to speak, whichever bridge task hears it
 * then. The slot stays open, as `sleeping`, until the answer ends it or the deadline comes.
 */
export async function putIntoMailbox(
  { mailboxes, clock }: { readonly mailboxes?: Mailboxes; readonly clock: Clock },
  job: Job,
  slice: Pick<Slice, "part" | "deadline">,
  item: AccessItem,
): Promise<TaskEnd> {
  const failed = (...refused: Parameters<typeof refusal>): TaskEnd => ({
    kind: "failed",
    failure: refusal(...refused),
    rest: true,
  });
  // What is put there cannot be looked at a last time: it is carried out when the endpoint wakes.
  if (job.test === true) return failed("unsupported", "mailbox.no-test");
  if (mailboxes === undefined) return failed("unsupported", "mailbox.none");
  if (!isMailOperation(job.operation)) return failed("unsupported", "mailbox.operation");
  if (item.sealedKeys === undefined) return failed("unsafe", "mailbox.no-keys");
  if (isSuperseded(job, item)) return SUPERSEDED;
  const mail = { jobId: job.jobId, part: slice.part, lane: job.lane, deadline: slice.deadline };
  const there = await changeMailbox(mailboxes, item, item.meterId, clock.now(), withMail(mail));
  const lies = there?.mails.some(({ jobId }) => jobId === job.jobId) === true;
  return failed("sleeping", lies ? "mailbox.waits" : "mailbox.full");
}
