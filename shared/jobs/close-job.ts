import type { Clock } from "../ports/clock.ts";
import type { JobId } from "./job.ts";
import type { Ledger } from "./ledger.ts";
import { type JobTally, tallyOf } from "./progress.ts";

/**
 * Closes a job all of whose slices are closed, with its last progress; harmless at any time. Answers the tally of its
 * slices; undefined: no such job, or not planned yet.
 */
export async function closeJobIfDone(
  ports: { readonly ledger: Ledger; readonly clock: Clock },
  jobId: JobId,
): Promise<JobTally | undefined> {
  const job = await ports.ledger.job(jobId);
  if (job === undefined || job.state === "planning" || (job.state === "paused" && job.slices === undefined))
    return undefined;
  const now = ports.clock.now();
  const tally = await tallyOf(ports.ledger.slicesOf(jobId), now);
  if (job.state === "closed") return tally;
  await ports.ledger.writeProgress(jobId, tally.progress);
  if (tally.closed) await ports.ledger.moveJob(jobId, job.state, { state: "closed", closedAt: now });
  return tally;
}
