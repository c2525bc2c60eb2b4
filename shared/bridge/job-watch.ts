import type { Job, JobId } from "../jobs/job.ts";
import type { Ledger } from "../jobs/ledger.ts";
import type { Clock } from "../ports/clock.ts";

/** How old the state of a job may be when a meter is dialled for it, ms. */
export const JOB_STATE_MS = 2_000;
/** Jobs that nobody asked about for so long are forgotten. */
const FORGET_MS = 60_000;

/** Jobs as they stood at most two seconds ago; slices of one job share the look-ups. */
export interface JobWatch {
  job(jobId: JobId): Promise<Job | undefined>;
}

export function jobWatch(ledger: Pick<Ledger, "job">, clock: Clock): JobWatch {
  const seen = new Map<JobId, { readonly at: number; readonly job: Promise<Job | undefined> }>();
  return {
    job(jobId) {
      const now = clock.now();
      const entry = seen.get(jobId);
      if (entry !== undefined && now - entry.at < JOB_STATE_MS) return entry.job;
      for (const [id, { at }] of seen) if (now - at > FORGET_MS) seen.delete(id);
      const job = ledger.job(jobId);
      const fresh = { at: now, job }; // dated before the look-up: never older than it says
      seen.set(jobId, fresh);
      job.catch(() => {
        if (seen.get(jobId) === fresh) seen.delete(jobId);
      });
      return job;
    },
  };
}

/** Whether work for the job may go on. */
export const runs = (job: Job | undefined): job is Job =>
  job !== undefined && job.state !== "paused" && job.state !== "cancelling" && job.state !== "closed";
