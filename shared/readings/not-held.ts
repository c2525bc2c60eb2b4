import type { TaskReport } from "../jobs/messages.ts";
import { HeadraceError } from "../ports/errors.ts";
import { DAY_MS, dayOf, expectedSlots } from "./day-block.ts";
import type { Keeper } from "./ingest-batch.ts";
import { addInterval, intervalsWithin, isEmpty, noIntervals, without } from "./interval-bits.ts";
import { joined, type MissingEntry, type MissingRecords } from "./missing-records.ts";

const TRIES = 12;

/** Intervals of one report that were asked for and did not come, though the meter answered; by day. */
export function notHeldIn(
  report: Pick<TaskReport, "slot" | "at" | "outcome" | "intervals" | "refusals" | "clockOffsetMs">,
  range: { readonly from: number; readonly to: number },
): ReadonlyMap<number, readonly MissingEntry[]> {
  const days = new Map<number, MissingEntry[]>();
  if (report.outcome.kind !== "done") return days;
  const note = (day: number, ...entries: MissingEntry[]): void =>
    void days.set(day, [...(days.get(day) ?? []), ...entries]);
  for (const { set, period, ends } of report.intervals ?? []) {
    const slots = expectedSlots(period);
    if (slots === 0) continue;
    const periodMs = period * 1000;
    // The meter closes an interval a moment after its end, by a clock of its own, which may be behind.
    const sure = report.at + Math.min(report.clockOffsetMs ?? 0, 0) - periodMs;
    for (let day = dayOf(range.from); day < range.to; day += DAY_MS) {
      const held = noIntervals(slots);
      for (const end of ends) {
        const number = (end - day) / periodMs - 1;
        if (Number.isInteger(number) && number >= 0 && number < slots) addInterval(held, number);
      }
      const asked = (from: number, to: number) =>
        without(intervalsWithin(day, period, slots, Math.max(from, range.from), Math.min(to, range.to)), held);
      const past = asked(range.from, sure);
      const last = asked(sure, range.to);
      if (!isEmpty(past)) note(day, { slot: report.slot, set, period, reason: "not-held", bits: past });
      if (!isEmpty(last)) note(day, { slot: report.slot, set, period, reason: "not-yet", bits: last });
    }
  }
  for (const { item } of report.refusals ?? [])
    if (item.length <= 16 && !item.includes("."))
      for (let day = dayOf(range.from); day < range.to; day += DAY_MS)
        note(day, { slot: report.slot, set: item, period: 0, reason: "refused", bits: noIntervals(0) });
  return days;
}

/** Adds entries to the record of a segment's day. May be repeated: the same again writes nothing. */
export async function addMissing(
  records: MissingRecords,
  segment: number,
  day: number,
  entries: readonly MissingEntry[],
): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) {
    const there = await records.read(segment, day);
    const next = joined([...(there?.entries ?? []), ...entries]);
    if (there !== undefined && sameEntries(there.entries, next)) return;
    const { version = 0, ...rest } = there ?? { segment, day };
    if ((await records.write({ ...rest, entries: next }, version)) === "written") return;
  }
  throw new HeadraceError("readings.contended", `expected to write a record of missing intervals in ${TRIES} tries`, {
    retry: "later",
    detail: { segment, day },
  });
}

const sameEntries = (left: readonly MissingEntry[], right: readonly MissingEntry[]): boolean =>
  left.length === right.length &&
  left.every(({ bits, ...entry }, at) => {
    const other = right[at];
    return (
      other !== undefined &&
      entry.slot === other.slot &&
      entry.set === other.set &&
      entry.reason === other.reason &&
      entry.period === other.period &&
      bits.length === other.bits.length &&
      bits.every((octet, index) => octet === other.bits[index])
    );
  });

/** Keeps what meters said that they do not hold: one of the three sources of completeness. */
export const notHeldKeeper = (records: MissingRecords): Keeper => ({
  async keep({ segment, job, reports }) {
    if (job?.operation.kind !== "readIntervals") return;
    const { range } = job.operation;
    const days = new Map<number, MissingEntry[]>();
    for (const report of reports)
      for (const [day, entries] of notHeldIn(report, report.asked ?? range))
        days.set(day, [...(days.get(day) ?? []), ...entries]);
    for (const [day, entries] of days) await addMissing(records, segment, day, entries);
  },
});
