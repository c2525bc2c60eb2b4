import type { Timeline } from "../events/timeline.ts";
import { isOrder } from "../jobs/orders.ts";
import type { Clock } from "../ports/clock.ts";
import type { Keeper } from "../readings/ingest-batch.ts";
import type { AuditLog } from "../security/audit.ts";

/** What is still looked for is no outcome yet. */
const isFinal = ({ kind, ...rest }: { readonly kind: string; readonly retry?: string | undefined }): boolean =>
  kind !== "failed" || rest.retry !== "later";

/** Code of an order whose proof is not looked for any more. */
export const GIVEN_UP = "order.proof-given-up";

/** Writes how orders ended into the audit. A batch that comes twice is written twice: the same job, meter and batch. */
export const outcomeKeeper = (
  audit: AuditLog,
  clock: Pick<Clock, "now">,
  timeline: Pick<Timeline, "add">,
): Keeper & Required<Pick<Keeper, "givenUp">> => ({
  async givenUp(job, meterIds) {
    const { jobId, operation, caller } = job;
    const { id, name } = caller;
    const end = { outcome: "failed", reason: "unverified", code: GIVEN_UP } as const;
    const at = clock.now();
    await timeline.add(
      meterIds.map((meterId) => ({
        meterId,
        id: `${jobId}-given-up`,
        entry: { kind: "command", at, operation: operation.kind, jobId, ...end, batch: "" },
      })),
    );
    for (const meterId of meterIds)
      await audit.append({
        at,
        by: { id, ...(name === undefined ? {} : { name }) },
        action: "order.outcome",
        meterId,
        jobId,
        detail: { operation: operation.kind, ...end },
      });
  },
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
