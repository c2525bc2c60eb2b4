import { isGroupSlice } from "../jobs/group-request.ts";
import type { Job } from "../jobs/job.ts";
import { countedSum, type IntervalCounts, NO_INTERVALS } from "../jobs/schedule-runs.ts";
import {
  type AccountedMeter,
  type AccountPorts,
  accountedDay,
  asksOf,
  type IntervalJob,
  readBy,
} from "./account-day.ts";
import { DAY_MS, dayOf, slotsOfDay } from "./day-block.ts";
import { both, countIntervals, either, type IntervalBits, intervalsWithin, isEmpty, without } from "./interval-bits.ts";

/** When what a run asks for is late, by its service level; undefined: it has none. Clock of the readings, ms. */
const dueOf = ({ schedule }: Job): number | undefined =>
  schedule?.sla === undefined ? undefined : schedule.runAt + schedule.sla.withinSeconds * 1000;

interface Counting {
  expected: number;
  inTime: number;
  late: number;
  missing: number;
  pending: number;
  unaccounted: number;
  readonly reasons: Record<string, number>;
}

/**
 * Counts what runs of schedules were to bring of a UTC day, meter by meter: intervals that a run of the schedule asked the
 * meter for, each once. An interval is late by the first run that asked for it; where that has no service level, by
 * `deadline`, clock ms.
 */
export function coverageCounter(day: number, deadline: number) {
  const counted = new Map<string, Counting>();
  const countingOf = (scheduleId: string): Counting => {
    const there = counted.get(scheduleId);
    if (there !== undefined) return there;
    const made = { ...NO_INTERVALS, reasons: {} };
    counted.set(scheduleId, made);
    return made;
  };
  return {
    add({ sets, tasks }: AccountedMeter): void {
      // Oldest run first: it is the first that was to bring the interval.
      const runs = tasks.filter(({ job }) => job.schedule !== undefined).toSorted(byRun);
      if (runs.length === 0) return;
      for (const one of sets) {
        const covered = new Map<string, IntervalBits>();
        for (const { job, range } of runs) {
          const { scheduleId = "" } = job.schedule ?? {};
          const { period } = one.expected;
          const asked = both(one.due, intervalsWithin(day, period, slotsOfDay(period), range.from, range.to));
          const before = covered.get(scheduleId);
          const added = before === undefined ? asked : without(asked, before);
          if (isEmpty(added)) continue;
          covered.set(scheduleId, before === undefined ? added : either(before, added));
          const counting = countingOf(scheduleId);
          const many = (bits: IntervalBits): number => countIntervals(both(added, bits));
          const present = both(added, one.present);
          const inTime = countIntervals(readBy(present, one.readAt, dueOf(job) ?? deadline));
          counting.expected += countIntervals(added);
          counting.inTime += inTime;
          counting.late += countIntervals(present) - inTime;
          counting.pending += many(one.pending);
          counting.unaccounted += many(one.unaccounted);
          for (const [reason, bits] of one.reasons) {
            const missing = many(bits);
            if (missing === 0) continue;
            counting.missing += missing;
            counting.reasons[reason] = (counting.reasons[reason] ?? 0) + missing;
          }
        }
      }
    },
    counts: (): ReadonlyMap<string, IntervalCounts> => counted,
  };
}
const byRun = (left: { readonly job: Job }, right: { readonly job: Job }): number =>
  (left.job.schedule?.runAt ?? 0) - (right.job.schedule?.runAt ?? 0);

/** Segments of a job from one on, in the order of its slices. */
async function* segmentsOf({ ledger }: AccountPorts, job: Job, from: number | undefined): AsyncGenerator<number> {
  let last: number | undefined;
  const range = from === undefined ? {} : { from: { segment: from, part: 0 } };
  for await (const slice of ledger.slicesOf(job.jobId, range)) {
    if (slice.segment !== last && !isGroupSlice(slice)) yield slice.segment;
    last = slice.segment;
  }
}

export interface CountedRun {
  readonly counts: IntervalCounts;
  /** The segment with which it goes on; absent: all were counted. */
  readonly next?: number;
}

/**
 * Counts the intervals that a run of a schedule was to bring, as they stand at `now` (clock of the readings, ms), whoever
 * brought them: from the meters' plans, the day blocks, and what ingest and ledger say of the rest. `from`: the segment to
 * go on with. `mayGoOn`: asked after each segment.
 */
export async function countRun(
  ports: AccountPorts,
  job: Job,
  now: number,
  mayGoOn: () => boolean,
  from?: number,
): Promise<CountedRun> {
  let counts = NO_INTERVALS;
  if (job.operation.kind !== "readIntervals" || job.schedule === undefined) return { counts };
  const { range } = job.operation;
  let more = true;
  for await (const segment of segmentsOf(ports, job, from)) {
    if (!more) return { counts, next: segment };
    for (let day = dayOf(range.from); day < range.to; day += DAY_MS) {
      const asking: readonly IntervalJob[] = asksOf(job, day) ? [job] : [];
      const coverage = coverageCounter(day, Number.POSITIVE_INFINITY);
      const { meters } = await accountedDay(ports, segment, day, asking, now);
      for (const meter of meters) coverage.add(meter);
      for (const one of coverage.counts().values()) counts = countedSum(counts, one);
    }
    more = mayGoOn();
  }
  return { counts };
}
