import type { Job } from "../jobs/job.ts";
import type { IntervalCounts } from "../jobs/schedule-runs.ts";
import { inBitmap } from "../registry/member-sets.ts";
import { type AccountPorts, accountedDay, asksOf, isNoted, readBy } from "./account-day.ts";
import { coverageCounter } from "./count-runs.ts";
import { DAY_MS } from "./day-block.ts";
import type { Expected } from "./expected-intervals.ts";
import { countIntervals, isEmpty } from "./interval-bits.ts";
import {
  type DayCounts,
  joined,
  type MissingEntry,
  type MissingRecord,
  type MissingRecords,
  NOTHING_COUNTED,
} from "./missing-records.ts";

export interface CloseDayPorts extends AccountPorts {
  readonly records: MissingRecords;
  /** Of a segment's meters, those in maintenance, as a bitmap. */
  readonly maintenance?: (segment: number) => Promise<Uint8Array | undefined>;
}

/** So far back is read again at the most, and where the depth of a meter's memory is not known. */
export const DEPTH_DAYS = 40;

export interface ClosedSegment {
  readonly counts: DayCounts;
  /** Of what the runs of each schedule were to bring. */
  readonly schedules: ReadonlyMap<string, IntervalCounts>;
  /** Slots of which something is missing that another read may bring. */
  readonly toRead: readonly number[];
  /** Slots whose sources differ. */
  readonly differing: readonly number[];
}

/**
 * The closing pass over one segment's UTC day: what is expected (channel plans), what is present (bits of the day blocks)
 * and what is accounted for as missing (records of the ingest, outcomes in the ledger) must agree. Writes the record;
 * running it again counts anew. `jobs`: newest first. What is read after `deadline` is late; what ends after `now` is not due
 * yet; clock ms.
 */
export async function closeSegmentDay(
  ports: CloseDayPorts,
  segment: number,
  day: number,
  jobs: readonly Job[],
  deadline: number,
  now: number,
): Promise<ClosedSegment> {
  const asking = jobs.filter((job) => asksOf(job, day));
  const { record, meters } = await accountedDay(ports, segment, day, asking, now);
  const maintenance = await ports.maintenance?.(segment);
  const { reasons: _none, ...counts } = { ...NOTHING_COUNTED };
  const reasons: Record<string, number> = {};
  const coverage = coverageCounter(day, deadline);
  const entries: MissingEntry[] = [];
  const toRead: number[] = [];
  const differing: number[] = [];
  const whole: number[] = [];
  for (const meter of meters) {
    const { slot, gone, sets } = meter;
    coverage.add(meter);
    counts.meters++;
    let gaps = 0;
    let again = false;
    let untold = false;
    let late = 0;
    let excluded = inBitmap(maintenance, slot);
    for (const { expected, due, present, readAt, reasons: found, pending, unaccounted } of sets) {
      const there = countIntervals(present);
      counts.expected += countIntervals(due);
      counts.present += there;
      late += there - countIntervals(readBy(present, readAt, deadline));
      gaps += countIntervals(due) - there;
      const kept = !gone && isKept(expected, day, now); // nobody reads a meter that was taken away
      counts.pending += countIntervals(pending);
      counts.unaccounted += countIntervals(unaccounted);
      if (!isEmpty(unaccounted)) differing.push(slot);
      untold ||= !isEmpty(unaccounted) || !isEmpty(pending);
      for (const [reason, bits] of found) {
        const many = countIntervals(bits);
        counts.missing += many;
        reasons[reason] = (reasons[reason] ?? 0) + many;
        excluded ||= reason === "busy";
        entries.push({ slot, set: expected.set, period: expected.period, reason, bits });
        again ||= reason !== "not-held" && reason !== "refused" && kept;
      }
      again ||= !isEmpty(unaccounted) && kept;
    }
    counts.late += late;
    if (gaps === 0) counts.complete++;
    if (excluded) counts.excluded++;
    if (gaps === 0 && late === 0) {
      counts.inTime++;
      if (!excluded) counts.inTimeOfCounted++;
    }
    if (again) toRead.push(slot);
    if (again && untold) whole.push(slot);
  }
  const closed = { ...counts, reasons };
  await writeCounted(ports.records, record, {
    segment,
    day,
    entries: joined([...entries, ...(record?.entries ?? []).filter(({ period }) => period === 0)]),
    counted: { at: now, counts: closed, toRead, ...(whole.length === 0 ? {} : { whole }) },
  });
  return { counts: closed, schedules: coverage.counts(), toRead, differing: [...new Set(differing)] };
}

/** Whether the meter's memory still holds the end of that day. */
const isKept = ({ period, depth }: Expected, day: number, now: number): boolean =>
  now - (day + DAY_MS) < (depth === undefined ? DEPTH_DAYS * DAY_MS : depth * period * 1000);

/** What the ingest noted meanwhile stays: the pass after this one counts it. */
async function writeCounted(
  records: MissingRecords,
  read: MissingRecord | undefined,
  next: Omit<MissingRecord, "version">,
): Promise<void> {
  if ((await records.write(next, read?.version ?? 0)) === "written") return;
  const there = await records.read(next.segment, next.day);
  const added = (there?.entries ?? []).filter(isNoted);
  // A second conflict leaves the record to the writer that won, whose content the next pass reads.
  await records.write({ ...next, entries: joined([...next.entries, ...added]) }, there?.version ?? 0);
}
