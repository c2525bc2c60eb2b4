import type { Ledger } from "../../shared/jobs/ledger.ts";
import { EXACT_SLICES, tallyOf } from "../../shared/jobs/progress.ts";
import type { JobSearchPorts } from "../../shared/queries/find-jobs.ts";
import { systemClock } from "./system-clock.ts";

/** What a search of jobs reads: small jobs are counted; of larger ones what the sweep counted last. */
export const jobSearch = (ledger: Ledger): JobSearchPorts => ({
  ledger,
  counts: async ({ jobId, slices }) =>
    slices === undefined || slices > EXACT_SLICES
      ? ledger.progress(jobId)
      : (await tallyOf(ledger.slicesOf(jobId), systemClock.now())).progress,
  now: systemClock.now,
});
