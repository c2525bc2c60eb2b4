import { eachOf } from "../jobs/concurrency.ts";
import type { Caller, Job } from "../jobs/job.ts";
import { countedSum, type IntervalCounts, NO_INTERVALS } from "../jobs/schedule-runs.ts";
import type { JobRequest, SubmitOutcome } from "../jobs/submit-job.ts";
import type { SegmentMembers } from "../jobs/targets.ts";
import type { Clock } from "../ports/clock.ts";
import { asksOf } from "./account-day.ts";
import { type CloseDayPorts, closeSegmentDay, DEPTH_DAYS } from "./close-day.ts";
import { DAY_MS, dayOf } from "./day-block.ts";
import { type DayCounts, NOTHING_COUNTED, sumOf } from "./missing-records.ts";

/** What was counted of a UTC day: all, and what the runs of each schedule were to bring of it, by schedule id. */
interface Counted {
  readonly counts: DayCounts;
  readonly schedules?: Readonly<Record<string, IntervalCounts>> | undefined;
}

/** What is known of a UTC day as a whole. */
export interface DaySummary {
  /** Its start, clock ms. */
  readonly day: number;
  /** Whole passes so far. */
  readonly passes: number;
  /** When the next one is due, product clock ms; absent: nothing more can be done. */
  readonly nextAt?: number | undefined;
  /** Of the last whole pass. */
  readonly counted?: ({ readonly at: number } & Counted) | undefined;
  /** A pass under way: the next segment, and what was counted before it. */
  readonly under?: ({ readonly from: number; readonly at: number; readonly toRead: number } & Counted) | undefined;
  /** Rises with every write. */
  readonly version: number;
}

/** Summaries of days as stored. Keys live in `functions/adapters/dynamo-day-summaries.ts`. */
export interface DaySummaries {
  /** Of the days in [from, to], ascending. */
  list(from: number, to: number): Promise<readonly DaySummary[]>;
  /** Conditional on the version that was read; 0: there was none. */
  write(summary: Omit<DaySummary, "version">, was: number): Promise<"written" | "conflict">;
}

export interface CloseDaysPorts extends CloseDayPorts {
  readonly summaries: DaySummaries;
  /** Every segment with meters from this one on, ascending. */
  readonly segments: (from: number) => AsyncIterable<SegmentMembers>;
  /** Jobs that may have asked for one of these days, newest first. */
  readonly jobsAbout: (days: ReadonlySet<number>) => Promise<readonly Job[]>;
  readonly submit: (caller: Caller, request: JobRequest) => Promise<SubmitOutcome>;
  /** The machine's time, which job deadlines are counted on. */
  readonly clock: Pick<Clock, "now">;
}

/** A day is counted first so long after its end: what comes later is late. */
export const DEADLINE_MS = 6 * 3_600_000;
/** So long a targeted read has before the day is counted again; longer each time. */
const AGAIN_MS = 6 * 3_600_000;
const AGAIN_MAX_MS = DAY_MS;
/** Segments at once. */
const WIDTH = 4;
/** Segments between two notes of how far a pass has come. */
const STRIDE = 32;
/** Schedules that are counted by themselves: some 60 kB of the item. */
const SCHEDULES_MAX = 200;

/** Reads are the headend's own. */
const COMPLETENESS: Caller = { id: "headrace", name: "completeness", roles: ["analyst"] };

export interface DayClosed {
  readonly day: number;
  readonly counts: DayCounts;
  readonly toRead: number;
  /** The targeted read that was begun for it. */
  readonly jobId?: string;
}

/**
 * Runs every closing pass that is due at `now` (product clock ms): of each UTC day from six hours after its end, and again
 * while another read may bring something that is missing. `mayGoOn`: asked between segments; where it says no, the pass
 * goes on at the next call. Doing it twice at once is harmless: one of the two loses its write and stops.
 */
export async function closeDays(
  ports: CloseDaysPorts,
  now: number,
  mayGoOn: () => boolean,
): Promise<{ readonly closed: readonly DayClosed[]; readonly unfinished: boolean }> {
  const last = dayOf(now - DEADLINE_MS) - DAY_MS;
  const first = last - DEPTH_DAYS * DAY_MS;
  const known = new Map((await ports.summaries.list(first, last)).map((summary) => [summary.day, summary]));
  const due: DaySummary[] = [];
  // Before the first day that was ever counted nothing is counted: a new deployment has no past.
  const begins = Math.min(last, ...known.keys());
  for (let day = last; day >= begins; day -= DAY_MS) {
    const summary = known.get(day) ?? { day, passes: 0, nextAt: day + DAY_MS + DEADLINE_MS, version: 0 };
    if (summary.under !== undefined || (summary.nextAt ?? Number.POSITIVE_INFINITY) <= now) due.push(summary);
  }
  const closed: DayClosed[] = [];
  if (due.length === 0) return { closed, unfinished: false };
  const jobs = await ports.jobsAbout(new Set(due.map(({ day }) => day)));
  for (const summary of due) {
    const end = await closeDay(
      ports,
      summary,
      jobs.filter((job) => asksOf(job, summary.day)),
      now,
      mayGoOn,
    );
    if (end === "unfinished") return { closed, unfinished: true };
    if (end !== "lost") closed.push(end);
  }
  return { closed, unfinished: false };
}

async function closeDay(
  ports: CloseDaysPorts,
  given: DaySummary,
  jobs: readonly Job[],
  now: number,
  mayGoOn: () => boolean,
): Promise<DayClosed | "unfinished" | "lost"> {
  const { day } = given;
  let summary = given;
  const write = async (next: Omit<DaySummary, "version">): Promise<boolean> => {
    if ((await ports.summaries.write(next, summary.version)) === "conflict") return false;
    summary = { ...next, version: summary.version + 1 };
    return true;
  };
  const at = given.under?.at ?? now;
  let { from, counts, toRead } = given.under ?? { from: 0, counts: NOTHING_COUNTED, toRead: 0 };
  const schedules: Record<string, IntervalCounts> = { ...given.under?.schedules };
  // Those whose runs came first, so that a pass that goes on counts the same ones.
  const counted = new Set(jobs.toReversed().flatMap(({ schedule }) => schedule?.scheduleId ?? []));
  const ids = [...counted].slice(0, SCHEDULES_MAX);
  const count = async (segments: readonly number[]): Promise<void> =>
    eachOf(segments, WIDTH, async (segment) => {
      const end = await closeSegmentDay(ports, segment, day, jobs, day + DAY_MS + DEADLINE_MS, at);
      counts = sumOf(counts, end.counts);
      for (const id of ids) {
        const one = end.schedules.get(id);
        if (one !== undefined) schedules[id] = countedSum(schedules[id] ?? NO_INTERVALS, one);
      }
      toRead += end.toRead.length;
    });
  let stride: number[] = [];
  for await (const { segment } of ports.segments(from)) {
    stride.push(segment);
    if (stride.length < STRIDE) continue;
    await count(stride);
    from = segment + 1;
    stride = [];
    if (!(await write({ ...summary, under: { from, at, counts, schedules: { ...schedules }, toRead } }))) return "lost";
    if (!mayGoOn()) return "unfinished";
  }
  await count(stride);
  // The job before the note that the pass is over: its id is that of the pass, so that doing it again finds it.
  const jobId = toRead === 0 ? undefined : await readAgain(ports, summary, now);
  const open = toRead > 0 || counts.pending > 0;
  const next: Omit<DaySummary, "version"> = {
    day,
    passes: summary.passes + 1,
    nextAt: open ? now + Math.min(AGAIN_MAX_MS, AGAIN_MS * 2 ** Math.min(summary.passes, 4)) : undefined,
    counted: { at, counts, schedules },
    under: undefined,
  };
  if (!(await write(next))) return "lost";
  return { day, counts, toRead, ...(jobId === undefined ? {} : { jobId }) };
}

async function readAgain(ports: CloseDaysPorts, { day, passes }: DaySummary, now: number): Promise<string | undefined> {
  const outcome = await ports.submit(COMPLETENESS, {
    operation: {
      kind: "readIntervals",
      range: { from: day, to: Math.min(day + DAY_MS, Math.floor(now / 1000) * 1000) },
    },
    target: { kind: "missing", day: new Date(day).toISOString().slice(0, 10) },
    lane: "urgent",
    deadline: ports.clock.now() + AGAIN_MS,
    reason: "Intervals of the day are missing",
    idempotencyKey: `missing/${day}/${passes}`,
  });
  return outcome.kind === "accepted" ? outcome.jobId : undefined; // refused: nobody is left to be read
}
