import type { Job } from "../jobs/job.ts";
import type { Ledger } from "../jobs/ledger.ts";
import { slotReason, slotState } from "../jobs/slots.ts";
import { type ChannelPlan, planEnd } from "../metering/channel-plan.ts";
import { inBitmap } from "../registry/member-sets.ts";
import type { DayBlocks } from "./blocks.ts";
import { DAY_MS, slotsOfDay } from "./day-block.ts";
import { decodeDayBlock } from "./day-block-codec.ts";
import { type Expected, expectedOn } from "./expected-intervals.ts";
import {
  addInterval,
  both,
  countIntervals,
  either,
  type IntervalBits,
  intervalsWithin,
  isEmpty,
  noIntervals,
  without,
} from "./interval-bits.ts";
import {
  type DayCounts,
  joined,
  type MissingEntry,
  type MissingReason,
  type MissingRecord,
  type MissingRecords,
  NOTHING_COUNTED,
} from "./missing-records.ts";

/** Of each slot with a plan, what is expected of it. */
export interface Plans {
  plansOf(segment: number): Promise<ReadonlyMap<number, ChannelPlan>>;
}

export interface CloseDayPorts {
  readonly plans: Plans;
  readonly blocks: Pick<DayBlocks, "ofSegment">;
  readonly records: MissingRecords;
  readonly ledger: Pick<Ledger, "slicesOf">;
  /** Of a segment's meters, those in maintenance, as a bitmap. */
  readonly maintenance?: (segment: number) => Promise<Uint8Array | undefined>;
}

/** So far back is read again at the most, and where the depth of a meter's memory is not known. */
export const DEPTH_DAYS = 40;

type IntervalJob = Job & { readonly operation: Extract<Job["operation"], { readonly kind: "readIntervals" }> };

/** Whether a job asked for intervals of the day. */
export const asksOf = (job: Job, day: number): job is IntervalJob =>
  job.operation.kind === "readIntervals" && job.operation.range.from < day + DAY_MS && job.operation.range.to > day;

/** How one task that asked for a part of the day stands. */
interface Asked {
  readonly range: { readonly from: number; readonly to: number };
  readonly state: "open" | "done" | "failed";
  readonly reason: MissingReason;
}

/** Per slot, the tasks of these jobs, in the order of the jobs (newest first). */
async function askedOf(
  ledger: Pick<Ledger, "slicesOf">,
  jobs: readonly IntervalJob[],
  segment: number,
): Promise<ReadonlyMap<number, readonly Asked[]>> {
  const asked = new Map<number, Asked[]>();
  for (const job of jobs)
    for await (const slice of ledger.slicesOf(job.jobId, { from: { segment, part: 0 }, partitions: [segment % 64] })) {
      if (slice.segment > segment) break;
      if (slice.segment < segment) continue;
      for (let slot = 0; slot < slice.slots.length; slot++) {
        const state = slotState(slice.slots, slot);
        if (state === "untargeted") continue;
        const tasks = asked.get(slot) ?? [];
        tasks.push({
          range: job.operation.range,
          state: state === "open" || state === "done" ? state : "failed",
          reason: state === "cancelled" ? "cancelled" : slotReason(slice.slots, slot),
        });
        asked.set(slot, tasks);
      }
    }
  return asked;
}

/** What is present of each slot and set: the first source. `late`: read after the deadline. */
function presentIn(
  blocks: Awaited<ReturnType<DayBlocks["ofSegment"]>>,
  deadline: number,
): ReadonlyMap<string, { readonly bits: IntervalBits; readonly late: IntervalBits }> {
  const present = new Map<string, { bits: IntervalBits; late: IntervalBits }>();
  for (const { key, octets } of blocks) {
    const { period, entries } = decodeDayBlock(key.day, octets);
    const slots = slotsOfDay(period);
    if (slots === 0) continue;
    // Blocks of a set whose layout changed within the day lie beside each other under names of their own.
    const name = `${key.slot}#${key.set.split("~")[0]}#${period}`;
    const found = present.get(name) ?? { bits: noIntervals(slots), late: noIntervals(slots) };
    present.set(name, found);
    for (const [number, { origin }] of entries) {
      addInterval(found.bits, number);
      if (origin.at > deadline) addInterval(found.late, number);
    }
  }
  return present;
}

/** What the meter said of the intervals of one set that it did not bring: the third source. */
interface Said {
  readonly notHeld: IntervalBits;
  readonly notYet: IntervalBits;
  /** It refused the whole channel set. */
  readonly refused: boolean;
}

/** Why the intervals that are not there are missing: what the meter said, then what the ledger says of the tasks. */
function accountFor(
  absent: IntervalBits,
  { period }: Expected,
  day: number,
  said: Said,
  tasks: readonly Asked[],
  otherwise: MissingReason,
): {
  readonly reasons: ReadonlyMap<MissingReason, IntervalBits>;
  readonly pending: IntervalBits;
  readonly rest: IntervalBits;
} {
  const reasons = new Map<MissingReason, IntervalBits>();
  let rest = absent;
  const take = (reason: MissingReason, bits: IntervalBits): void => {
    const taken = both(rest, bits);
    if (isEmpty(taken)) return;
    const there = reasons.get(reason);
    reasons.set(reason, there === undefined ? taken : either(there, taken));
    rest = without(rest, taken);
  };
  take("not-held", said.notHeld);
  take("not-yet", said.notYet);
  const slots = slotsOfDay(period);
  const within = ({ range: { from, to } }: Asked): IntervalBits => intervalsWithin(day, period, slots, from, to);
  // What a task brought or the meter denied is accounted for by the other sources; what is then left of it is lost.
  let answered = noIntervals(slots);
  for (const task of tasks) if (task.state === "done") answered = either(answered, within(task));
  if (said.refused) take("refused", answered);
  const lost = both(rest, answered);
  rest = without(rest, lost);
  let pending = noIntervals(slots);
  for (const task of tasks) if (task.state === "open") pending = either(pending, both(rest, within(task)));
  rest = without(rest, pending);
  for (const task of tasks) if (task.state === "failed") take(task.reason, within(task));
  take(otherwise, rest);
  return { reasons, pending, rest: lost };
}

export interface ClosedSegment {
  readonly counts: DayCounts;
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
  // Against the order in which the ingest writes: a task that is seen done has its readings and records there to be seen.
  const asked = await askedOf(ports.ledger, asking, segment);
  const record = await ports.records.read(segment, day);
  const blocks = await ports.blocks.ofSegment(segment, day);
  const plans = await ports.plans.plansOf(segment);
  const present = presentIn(blocks, deadline);
  const noted = notedIn(record);
  const maintenance = await ports.maintenance?.(segment);
  const { reasons: _none, ...counts } = { ...NOTHING_COUNTED };
  const reasons: Record<string, number> = {};
  const entries: MissingEntry[] = [];
  const toRead: number[] = [];
  const differing: number[] = [];
  for (const [slot, plan] of plans) {
    const expected = expectedOn(plan, day);
    if (expected.length === 0) continue;
    counts.meters++;
    const gone = (planEnd(plan) ?? Number.POSITIVE_INFINITY) <= now;
    let gaps = 0;
    let again = false;
    let late = 0;
    let excluded = inBitmap(maintenance, slot);
    for (const one of expected) {
      const due = both(one.bits, intervalsWithin(day, one.period, slotsOfDay(one.period), day, now));
      const name = `${slot}#${one.set}#${one.period}`;
      const there = present.get(name) ?? { bits: noIntervals(0), late: noIntervals(0) };
      const absent = without(due, there.bits);
      counts.expected += countIntervals(due);
      counts.present += countIntervals(both(due, there.bits));
      late += countIntervals(both(due, there.late));
      if (isEmpty(absent)) continue;
      const said = {
        notHeld: noted.get(`${name}#not-held`) ?? noIntervals(0),
        notYet: noted.get(`${name}#not-yet`) ?? noIntervals(0),
        refused: noted.has(`${slot}#${one.set}#0#refused`),
      };
      const {
        reasons: found,
        pending,
        rest,
      } = accountFor(absent, one, day, said, asked.get(slot) ?? [], gone ? "retired" : "not-asked");
      const kept = !gone && isKept(one, day, now); // nobody reads a meter that was taken away
      gaps += countIntervals(absent);
      counts.pending += countIntervals(pending);
      counts.unaccounted += countIntervals(rest);
      if (!isEmpty(rest)) differing.push(slot);
      for (const [reason, bits] of found) {
        const many = countIntervals(bits);
        counts.missing += many;
        reasons[reason] = (reasons[reason] ?? 0) + many;
        excluded ||= reason === "busy";
        entries.push({ slot, set: one.set, period: one.period, reason, bits });
        again ||= reason !== "not-held" && reason !== "refused" && kept;
      }
      again ||= !isEmpty(rest) && kept;
    }
    counts.late += late;
    if (gaps === 0) counts.complete++;
    if (excluded) counts.excluded++;
    if (gaps === 0 && late === 0) {
      counts.inTime++;
      if (!excluded) counts.inTimeOfCounted++;
    }
    if (again) toRead.push(slot);
  }
  const closed = { ...counts, reasons };
  await writeCounted(ports.records, record, {
    segment,
    day,
    entries: joined([...entries, ...(record?.entries ?? []).filter(({ period }) => period === 0)]),
    counted: { at: now, counts: closed, toRead },
  });
  return { counts: closed, toRead, differing: [...new Set(differing)] };
}

/** Whether the meter's memory still holds the end of that day. */
const isKept = ({ period, depth }: Expected, day: number, now: number): boolean =>
  now - (day + DAY_MS) < (depth === undefined ? DEPTH_DAYS * DAY_MS : depth * period * 1000);

/** What the ingest noted, apart from what a pass before this one worked out. */
const isNoted = ({ reason, period }: MissingEntry): boolean =>
  reason === "not-held" || reason === "not-yet" || (reason === "refused" && period === 0);

const notedIn = (record: MissingRecord | undefined): ReadonlyMap<string, IntervalBits> =>
  new Map(
    (record?.entries ?? [])
      .filter(isNoted)
      .map(({ slot, set, period, reason, bits }) => [`${slot}#${set}#${period}#${reason}`, bits]),
  );

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
