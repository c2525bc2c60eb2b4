import { isGroupSlice } from "../jobs/group-request.ts";
import type { Job } from "../jobs/job.ts";
import type { Ledger } from "../jobs/ledger.ts";
import { slotReason, slotState } from "../jobs/slots.ts";
import { type ChannelPlan, planEnd } from "../metering/channel-plan.ts";
import type { DayBlocks } from "./blocks.ts";
import { DAY_MS, slotsOfDay } from "./day-block.ts";
import { decodeDayBlock } from "./day-block-codec.ts";
import { type Expected, expectedOn } from "./expected-intervals.ts";
import {
  addInterval,
  both,
  either,
  hasInterval,
  type IntervalBits,
  intervalsWithin,
  isEmpty,
  noIntervals,
  without,
} from "./interval-bits.ts";
import type { MissingEntry, MissingReason, MissingRecord, MissingRecords } from "./missing-records.ts";

/** Of each slot with a plan, what is expected of it. */
export interface Plans {
  plansOf(segment: number): Promise<ReadonlyMap<number, ChannelPlan>>;
}

export interface AccountPorts {
  readonly plans: Plans;
  readonly blocks: Pick<DayBlocks, "ofSegment">;
  readonly records: Pick<MissingRecords, "read">;
  readonly ledger: Pick<Ledger, "slicesOf">;
}

export type IntervalJob = Job & { readonly operation: Extract<Job["operation"], { readonly kind: "readIntervals" }> };

/** Whether a job asked for intervals of the day. */
export const asksOf = (job: Job, day: number): job is IntervalJob =>
  job.operation.kind === "readIntervals" && job.operation.range.from < day + DAY_MS && job.operation.range.to > day;

/** How one task that asked for a part of the day stands. */
export interface Asked {
  readonly job: IntervalJob;
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
      if (slice.segment < segment || isGroupSlice(slice)) continue;
      for (let slot = 0; slot < slice.slots.length; slot++) {
        const state = slotState(slice.slots, slot);
        if (state === "untargeted") continue;
        const tasks = asked.get(slot) ?? [];
        tasks.push({
          job,
          range: job.operation.range,
          state: state === "open" || state === "done" ? state : "failed",
          reason: state === "cancelled" ? "cancelled" : slotReason(slice.slots, slot),
        });
        asked.set(slot, tasks);
      }
    }
  return asked;
}

/** What is present of one slot and set: the first source. */
interface Present {
  readonly bits: IntervalBits;
  /** Interval → when it was read, clock ms; NaN: it is not there. */
  readonly readAt: Float64Array;
}
const NOTHING_PRESENT: Present = { bits: noIntervals(0), readAt: new Float64Array() };

function presentIn(blocks: Awaited<ReturnType<DayBlocks["ofSegment"]>>): ReadonlyMap<string, Present> {
  const present = new Map<string, Present>();
  for (const { key, octets } of blocks) {
    const { period, entries } = decodeDayBlock(key.day, octets);
    const slots = slotsOfDay(period);
    if (slots === 0) continue;
    // Blocks of a set whose layout changed within the day lie beside each other under names of their own.
    const name = `${key.slot}#${key.set.split("~")[0]}#${period}`;
    const found = present.get(name) ?? { bits: noIntervals(slots), readAt: new Float64Array(slots).fill(Number.NaN) };
    present.set(name, found);
    for (const [number, { origin }] of entries) {
      addInterval(found.bits, number);
      found.readAt[number] = origin.at;
    }
  }
  return present;
}

/** Of these intervals, those that were read by then; clock ms. */
export function readBy(bits: IntervalBits, readAt: Float64Array, until: number): IntervalBits {
  const found = noIntervals(readAt.length);
  for (const [number, at] of readAt.entries()) if (at <= until && hasInterval(bits, number)) addInterval(found, number);
  return found;
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
): Pick<AccountedSet, "reasons" | "pending" | "unaccounted"> {
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
  return { reasons, pending, unaccounted: lost };
}

/** What the ingest noted, apart from what a pass before this one worked out. */
export const isNoted = ({ reason, period }: MissingEntry): boolean =>
  reason === "not-held" || reason === "not-yet" || (reason === "refused" && period === 0);

const notedIn = (record: MissingRecord | undefined): ReadonlyMap<string, IntervalBits> =>
  new Map(
    (record?.entries ?? [])
      .filter(isNoted)
      .map(({ slot, set, period, reason, bits }) => [`${slot}#${set}#${period}#${reason}`, bits]),
  );

/** One channel set of a meter, of one UTC day: each interval that is due is in exactly one of the parts. */
export interface AccountedSet {
  readonly expected: Expected;
  readonly due: IntervalBits;
  /** Interval → when it was read, clock ms; NaN: it is not there. */
  readonly readAt: Float64Array;
  readonly present: IntervalBits;
  /** Missing, by reason. */
  readonly reasons: ReadonlyMap<MissingReason, IntervalBits>;
  readonly pending: IntervalBits;
  /** Neither present nor accounted for as missing. */
  readonly unaccounted: IntervalBits;
}
export interface AccountedMeter {
  readonly slot: number;
  /** It was taken away. */
  readonly gone: boolean;
  readonly sets: readonly AccountedSet[];
  /** Tasks that asked for something of the day, newest first. */
  readonly tasks: readonly Asked[];
}

/**
 * Every meter of a segment of which something is expected of the UTC day: what is due by `now`, and what became of it by
 * these jobs (newest first). `record`: as it was read, for who writes it.
 */
export async function accountedDay(
  ports: AccountPorts,
  segment: number,
  day: number,
  jobs: readonly IntervalJob[],
  now: number,
): Promise<{ readonly record: MissingRecord | undefined; readonly meters: Iterable<AccountedMeter> }> {
  // Against the order in which the ingest writes: a task that is seen done has its readings and records there to be seen.
  const asked = await askedOf(ports.ledger, jobs, segment);
  const record = await ports.records.read(segment, day);
  const blocks = await ports.blocks.ofSegment(segment, day);
  const plans = await ports.plans.plansOf(segment);
  const present = presentIn(blocks);
  const noted = notedIn(record);
  const accounted = (slot: number, gone: boolean, one: Expected): AccountedSet => {
    const due = both(one.bits, intervalsWithin(day, one.period, slotsOfDay(one.period), day, now));
    const name = `${slot}#${one.set}#${one.period}`;
    const there = present.get(name) ?? NOTHING_PRESENT;
    const absent = without(due, there.bits);
    const rest = { expected: one, due, readAt: there.readAt, present: both(due, there.bits) };
    const none = noIntervals(0);
    if (isEmpty(absent)) return { ...rest, reasons: new Map(), pending: none, unaccounted: none };
    const said = {
      notHeld: noted.get(`${name}#not-held`) ?? none,
      notYet: noted.get(`${name}#not-yet`) ?? none,
      refused: noted.has(`${slot}#${one.set}#0#refused`),
    };
    return {
      ...rest,
      ...accountFor(absent, one, day, said, asked.get(slot) ?? [], gone ? "retired" : "not-asked"),
    };
  };
  function* meters(): Generator<AccountedMeter> {
    for (const [slot, plan] of plans) {
      const expected = expectedOn(plan, day);
      if (expected.length === 0) continue;
      const gone = (planEnd(plan) ?? Number.POSITIVE_INFINITY) <= now;
      yield { slot, gone, tasks: asked.get(slot) ?? [], sets: expected.map((one) => accounted(slot, gone, one)) };
    }
  }
  return { record, meters: meters() };
}
