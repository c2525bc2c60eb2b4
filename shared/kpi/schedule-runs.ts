import type { Job } from "../jobs/job.ts";
import type { Ledger } from "../jobs/ledger.ts";

const PAGE = 100;
/** Newest jobs that are looked through. */
const JOBS_LOOKED_AT = 1000;

export type ScheduledJob = Job & { readonly schedule: NonNullable<Job["schedule"]> };

/** The newest job of each schedule, of those that were made since, by schedule id. `since`: clock of jobs, ms. */
export async function lastRuns(ledger: Pick<Ledger, "jobs">, since: number): Promise<readonly ScheduledJob[]> {
  const newest = new Map<string, ScheduledJob>();
  let cursor: string | undefined;
  for (let looked = 0; looked < JOBS_LOOKED_AT; looked += PAGE) {
    const page = await ledger.jobs({ limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
    for (const job of page.jobs) {
      const { schedule } = job;
      if (schedule === undefined || job.createdAt < since || newest.has(schedule.scheduleId)) continue;
      newest.set(schedule.scheduleId, { ...job, schedule });
    }
    cursor = page.cursor;
    if (cursor === undefined || (page.jobs.at(-1)?.createdAt ?? 0) < since) break;
  }
  return [...newest.values()].sort((left, right) => (left.schedule.scheduleId < right.schedule.scheduleId ? -1 : 1));
}
