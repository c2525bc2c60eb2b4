import type { Job } from "../jobs/job.ts";
import type { Ledger, TaskCounts } from "../jobs/ledger.ts";
import type { JobRow } from "./job-fields.ts";
import { countsRow, type JobFilter, jobRow } from "./job-filter.ts";
import { evaluate } from "./language/evaluate.ts";

export interface JobSearchPorts {
  readonly ledger: Pick<Ledger, "jobs">;
  /** Tasks of a job by outcome; undefined: it is not planned yet. Asked only where the job itself does not decide. */
  readonly counts: (job: Job) => Promise<TaskCounts | undefined>;
  readonly now: () => number;
}

/** Jobs that one page looks at, at most: where few match, a page ends before it is full. */
export const JOBS_LOOKED_AT = 1000;
const PAGE = 100;

export interface FoundJob {
  readonly job: Job;
  readonly row: JobRow;
}
export interface JobPage {
  readonly jobs: readonly FoundJob[];
  /** Where the next page begins; absent: every job was looked at. */
  readonly cursor?: string;
}

/** Jobs that match, newest first. `callerId`: only this caller's. `cursor`: of the page before. */
export async function findJobs(
  { ledger, counts, now }: JobSearchPorts,
  filter: JobFilter,
  page: { readonly limit: number; readonly cursor?: string | undefined; readonly callerId?: string | undefined },
): Promise<JobPage> {
  const nowMs = now();
  const jobs: FoundJob[] = [];
  const { callerId, limit } = page;
  let { cursor } = page;
  for (let looked = 0; looked < JOBS_LOOKED_AT; ) {
    // No more than still fit: the ledger's cursor is that of a whole page.
    const listed = await ledger.jobs({
      limit: Math.min(PAGE, limit - jobs.length),
      ...(cursor === undefined ? {} : { cursor }),
      ...(callerId === undefined ? {} : { callerId }),
    });
    const rows = await Promise.all(
      listed.jobs.map(async (job): Promise<FoundJob[]> => {
        if (evaluate(filter, jobRow(job), nowMs) === false) return [];
        const row = { ...jobRow(job), ...countsRow(await counts(job)) };
        return evaluate(filter, row, nowMs) === true ? [{ job, row }] : [];
      }),
    );
    jobs.push(...rows.flat());
    looked += listed.jobs.length;
    cursor = listed.cursor;
    if (cursor === undefined) return { jobs };
    if (jobs.length === limit) break;
  }
  return { jobs, ...(cursor === undefined ? {} : { cursor }) };
}

/** How many jobs match. Not `complete`: at least so many; not all jobs were looked at. */
export async function countJobs(
  ports: JobSearchPorts,
  filter: JobFilter,
  callerId: string | undefined,
): Promise<{ readonly jobs: number; readonly complete: boolean }> {
  const { jobs, cursor } = await findJobs(ports, filter, { limit: JOBS_LOOKED_AT, callerId });
  return { jobs: jobs.length, complete: cursor === undefined };
}
