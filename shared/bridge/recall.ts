import { eachOf } from "../jobs/concurrency.ts";
import type { Job } from "../jobs/job.ts";
import type { Ledger } from "../jobs/ledger.ts";
import { advance } from "../jobs/slice-machine.ts";
import type { Place } from "../metering/meter.ts";
import type { Clock } from "../ports/clock.ts";

export interface RecallPorts {
  readonly clock: Clock;
  readonly ledger: Pick<Ledger, "liveJobs" | "slice" | "writeSlice">;
  readonly onTrouble: (error: unknown) => void;
}

/** Meters that call in meanwhile are looked at together, ms. */
const GATHER_MS = 3_000;
/** Live jobs are listed once in so long, ms. */
const JOBS_MS = 15_000;
/** More live jobs than these are left to their own rests. */
const JOBS_MAX = 64;
const LOOKS_MAX = 8;

/**
 * Makes slices due that rest while a meter which has called in now waits in them for its route. The rule is cheap: one
 * read a segment and live job for all the meters that called within three seconds, and a write only where one waits.
 * Whom it misses (a slice of one after a split, a job beyond the first 64) rests until its own next attempt.
 */
export function recall({ clock, ledger, onTrouble }: RecallPorts): (place: Place) => void {
  let gathered = new Map<number, Set<number>>();
  let jobs: { readonly at: number; readonly live: Promise<readonly Job[]> } | undefined;

  const liveJobs = (): Promise<readonly Job[]> => {
    if (jobs === undefined || clock.now() - jobs.at >= JOBS_MS) jobs = { at: clock.now(), live: ledger.liveJobs() };
    return jobs.live;
  };
  const look = async (job: Job, segment: number, slots: readonly number[]): Promise<void> => {
    const slice = await ledger.slice({ jobId: job.jobId, segment, part: 0 });
    if (slice === undefined) return;
    const step = advance(slice, { input: "called", slots, now: clock.now() });
    // A conflict: somebody is at the slice, which serves as well.
    if (step.kind === "next") await ledger.writeSlice(slice, step.slice);
  };
  const lookAll = async (): Promise<void> => {
    const segments = gathered;
    gathered = new Map();
    const live = (await liveJobs()).filter(({ state }) => state === "running").slice(0, JOBS_MAX);
    const pairs = [...segments].flatMap(([segment, slots]) => live.map((job) => ({ job, segment, slots: [...slots] })));
    await eachOf(pairs, LOOKS_MAX, ({ job, segment, slots }) => look(job, segment, slots));
  };

  return ({ segment, slot }) => {
    if (gathered.size === 0)
      void clock
        .sleep(GATHER_MS)
        .then(lookAll)
        .catch((error: unknown) => {
          jobs = undefined;
          onTrouble(error);
        });
    const slots = gathered.get(segment) ?? new Set();
    gathered.set(segment, slots.add(slot));
  };
}
