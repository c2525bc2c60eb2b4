import type { Job } from "../jobs/job.ts";
import type { Ledger } from "../jobs/ledger.ts";
import { asksOf } from "./account-day.ts";
import { DEPTH_DAYS } from "./close-day.ts";
import { DAY_MS } from "./day-block.ts";

const JOBS_WALKED_MAX = 20_000;
const PAGE = 100;

/**
 * Jobs that asked for intervals of one of the days, newest first. They lie among all other jobs: those of the last weeks
 * are looked through. `now`: of the clock that jobs are dated by, ms.
 */
export async function jobsAbout(
  ledger: Pick<Ledger, "jobs">,
  days: ReadonlySet<number>,
  now: number,
): Promise<readonly Job[]> {
  const found: Job[] = [];
  const oldest = now - (DEPTH_DAYS + 2) * DAY_MS;
  let cursor: string | undefined;
  for (let walked = 0; walked < JOBS_WALKED_MAX; walked += PAGE) {
    const page = await ledger.jobs({ limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
    found.push(...page.jobs.filter((job) => [...days].some((day) => asksOf(job, day))));
    if (page.cursor === undefined || (page.jobs.at(-1)?.createdAt ?? 0) < oldest) break;
    cursor = page.cursor;
  }
  return found;
}
