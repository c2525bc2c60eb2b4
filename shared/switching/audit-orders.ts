import { isOrder } from "../jobs/orders.ts";
import type { Clock } from "../ports/clock.ts";
import type { Keeper } from "../readings/ingest-batch.ts";
import type { AuditLog } from "../security/audit.ts";

/** What is still looked for is no outcome yet. */
const isFinal = ({ kind, ...rest }: { readonly kind: string; readonly retry?: string | undefined }): boolean =>
  kind !== "failed" || rest.retry !== "later";

/** Writes how orders ended into the audit. A batch that comes twice is written twice: the same job, meter and batch. */
export const outcomeKeeper = (audit: AuditLog, clock: Pick<Clock, "now">): Keeper => ({
  async keep({ job, reports, reference }) {
    if (job === undefined || !isOrder(job)) return;
    const { jobId, operation, caller, test } = job;
    const { id, name } = caller;
    for (const { meterId, outcome } of reports) {
      if (!isFinal(outcome)) continue;
      await audit.append({
        at: clock.now(),
        by: { id, ...(name === undefined ? {} : { name }) },
        action: "order.outcome",
        meterId,
        jobId,
        detail: {
          operation: operation.kind,
          outcome: outcome.kind,
          ...("reason" in outcome ? { reason: outcome.reason, code: outcome.code } : {}),
          ...(test ? { test: "true" } : {}),
          batch: reference,
        },
      });
    }
  },
});
