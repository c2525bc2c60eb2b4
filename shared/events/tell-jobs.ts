import type { Ledger } from "../jobs/ledger.ts";
import type { EventTeller } from "./tell-events.ts";

const NONE = { done: 0, failed: 0, expired: 0, cancelled: 0 };

/**
 * A ledger whose jobs are told of as they are closed. Told before they are: what breaks off between is told again, under the
 * same id, by whoever closes the job then.
 */
export const toldLedger = <L extends Pick<Ledger, "job" | "progress" | "moveJob">>(
  ledger: L,
  teller: EventTeller,
): L => ({
  ...ledger,
  async moveJob(jobId, from, change) {
    if (change.state === "closed" && (await teller.isAsked("job"))) {
      const [job, progress] = [await ledger.job(jobId), await ledger.progress(jobId)];
      const { done, failed, expired, cancelled } = progress ?? NONE;
      if (job !== undefined && job.state === from)
        await teller.tell([
          {
            kind: "job",
            id: `job/${jobId}/closed`,
            at: change.closedAt ?? job.createdAt,
            jobId,
            operation: job.operation.kind,
            callerId: job.caller.id,
            tasks: { done, failed, expired, cancelled },
          },
        ]);
    }
    return ledger.moveJob(jobId, from, change);
  },
});
