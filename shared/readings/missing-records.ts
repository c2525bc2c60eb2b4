import { z } from "zod";
import { FAILURE_REASONS, type FailureReason } from "../metering/failure.ts";
import { either, type IntervalBits } from "./interval-bits.ts";

/** Why an interval is not there, besides the reasons for which tasks fail. */
export const OWN_REASONS = ["not-held", "not-yet", "not-asked", "cancelled"] as const;
/**
 * `not-held`: the meter answered and holds nothing for it. `not-yet`: it answered before the interval was over by its clock. `not-asked`: no job asked for it. `cancelled`: the job that
 * asked was. Else the reason for which the last task that asked for it ended.
 */
export type MissingReason = FailureReason | (typeof OWN_REASONS)[number];
export const MISSING_REASONS = [...FAILURE_REASONS, ...OWN_REASONS] as const;

/**
 * The intervals of one channel set of one meter that are accounted for as missing, with the reason. Period 0 and no bits:
 * the meter refused the whole set.
 */
export const MissingEntry = z.strictObject({
  slot: z.int().min(0).max(1023),
  set: z.string().min(1).max(32),
  period: z.int().min(0),
  reason: z.enum(MISSING_REASONS as unknown as [MissingReason, ...MissingReason[]]),
  bits: z.instanceof(Uint8Array),
});
export type MissingEntry = z.infer<typeof MissingEntry>;

/** What the closing pass counted last: intervals, and meters with a plan. */
export const DayCounts = z.strictObject({
  meters: z.int(),
  /** Meters of which nothing is missing. */
  complete: z.int(),
  /** Meters of which everything was there by the deadline. */
  inTime: z.int().default(0),
  /** Meters in maintenance, or with an interval missing because somebody else held the meter. */
  excluded: z.int().default(0),
  /** Meters that are not excluded, with everything there by the deadline. */
  inTimeOfCounted: z.int().default(0),
  expected: z.int(),
  present: z.int(),
  /** Present, but read after the deadline. */
  late: z.int(),
  missing: z.int(),
  /** Neither present nor accounted for as missing: the three sources differ, which is an alarm. */
  unaccounted: z.int(),
  /** Asked for by a task that is still open. */
  pending: z.int(),
  /** Reason → missing intervals. */
  reasons: z.record(z.string(), z.int()),
});
export type DayCounts = z.infer<typeof DayCounts>;

/** One item a segment and UTC day. */
export interface MissingRecord {
  readonly segment: number;
  /** Start of the UTC day, clock ms. */
  readonly day: number;
  readonly entries: readonly MissingEntry[];
  /**
   * By the last closing pass. `toRead`: slots of which another read may bring something. `whole`: those of them of which
   * the entries do not tell all that may be missing.
   */
  readonly counted?: {
    readonly at: number;
    readonly counts: DayCounts;
    readonly toRead: readonly number[];
    readonly whole?: readonly number[] | undefined;
  };
  /** Rises with every write. */
  readonly version: number;
}

/** Missing records as stored. Keys live in `functions/adapters/dynamo-missing-records.ts`. */
export interface MissingRecords {
  /** Strongly consistent; undefined: none. */
  read(segment: number, day: number): Promise<MissingRecord | undefined>;
  /** Conditional on the version that was read; 0: there was none. */
  write(record: Omit<MissingRecord, "version">, was: number): Promise<"written" | "conflict">;
}

export const entryKey = ({ slot, set, period, reason }: Omit<MissingEntry, "bits">): string =>
  `${slot}#${set}#${period}#${reason}`;

export const NOTHING_COUNTED: DayCounts = {
  meters: 0,
  complete: 0,
  inTime: 0,
  excluded: 0,
  inTimeOfCounted: 0,
  expected: 0,
  present: 0,
  late: 0,
  missing: 0,
  unaccounted: 0,
  pending: 0,
  reasons: {},
};

export function sumOf(left: DayCounts, right: DayCounts): DayCounts {
  const reasons = { ...left.reasons };
  for (const [reason, count] of Object.entries(right.reasons)) reasons[reason] = (reasons[reason] ?? 0) + count;
  return {
    meters: left.meters + right.meters,
    complete: left.complete + right.complete,
    inTime: left.inTime + right.inTime,
    excluded: left.excluded + right.excluded,
    inTimeOfCounted: left.inTimeOfCounted + right.inTimeOfCounted,
    expected: left.expected + right.expected,
    present: left.present + right.present,
    late: left.late + right.late,
    missing: left.missing + right.missing,
    unaccounted: left.unaccounted + right.unaccounted,
    pending: left.pending + right.pending,
    reasons,
  };
}

/** Entries of one slot, set, period and reason become one. Sorted, so that the same content is the same record. */
export function joined(entries: Iterable<MissingEntry>): MissingEntry[] {
  const found = new Map<string, MissingEntry>();
  for (const entry of entries) {
    const there = found.get(entryKey(entry));
    found.set(entryKey(entry), there === undefined ? entry : { ...entry, bits: unionOf(entry.bits, there.bits) });
  }
  return [...found.values()].sort(
    (left, right) => left.slot - right.slot || (entryKey(left) < entryKey(right) ? -1 : 1),
  );
}

const unionOf = (left: IntervalBits, right: IntervalBits): IntervalBits =>
  left.length >= right.length ? either(left, right) : either(right, left);
