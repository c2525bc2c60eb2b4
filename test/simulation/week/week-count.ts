import type { DayBlocks } from "../../../shared/readings/blocks.ts";
import type { DaySummaries } from "../../../shared/readings/close-days.ts";
import { hasInterval } from "../../../shared/readings/interval-bits.ts";
import type { DayCounts, MissingRecords } from "../../../shared/readings/missing-records.ts";
import { readReadings } from "../../../shared/readings/read-readings.ts";
import type { KeptStores } from "../simulated-keepers.ts";
import type { FieldMeter } from "./field-meter.ts";
import type { WeekField } from "./week-field.ts";
import { DAY_MS, type WeekPlan } from "./week-plan.ts";

/** What is counted of. */
export interface CountStores {
  readonly blocks: Pick<DayBlocks, "ofMeter">;
  readonly records: Pick<MissingRecords, "read">;
}
export interface WeekStores extends CountStores, KeptStores {
  readonly blocks: DayBlocks;
  readonly records: MissingRecords;
  readonly summaries: DaySummaries;
}

/** Whose slots are counted. */
export type CountedMeter = Pick<FieldMeter, "meterId" | "place" | "plan" | "until" | "captured" | "keepsMs" | "given">;
/** Days that are counted: UTC midnights, clock ms. */
type Days = Pick<WeekPlan, "start" | "end">;

/** Slots of a day, or of all, as they stand at the end. */
export interface Slots {
  meters: number;
  complete: number;
  /** Meters of which everything was there by the deadline. */
  inTime: number;
  /** Meters with a slot missing because somebody else held the meter; and the others that are in time. */
  excluded: number;
  inTimeOfCounted: number;
  expected: number;
  present: number;
  late: number;
  missing: number;
}
const noSlots = (): Slots => ({
  meters: 0,
  complete: 0,
  inTime: 0,
  excluded: 0,
  inTimeOfCounted: 0,
  expected: 0,
  present: 0,
  late: 0,
  missing: 0,
});

export interface SlotCount {
  readonly total: Slots;
  readonly byDay: ReadonlyMap<number, Slots>;
  /** Missing slots by the reason on record. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Stored values (a register, or one channel of one interval) that equal the meters' own logs. */
  readonly verified: number;
  /** Whatever is not as it has to be; the first few. */
  readonly differences: readonly string[];
}
export interface WeekCount extends SlotCount {
  /** Events of the meters' logs, each once in its timeline. */
  readonly events: number;
}

const LATE_MS = 6 * 3_600_000;
const DIFFERENCES_MAX = 20;

const differencesIn =
  (differences: string[]) =>
  (text: string): void => {
    if (differences.length < DIFFERENCES_MAX) differences.push(text);
  };

/** The week, and the events of it. */
export async function countWeek(
  plan: WeekPlan,
  { meters }: WeekField,
  stores: WeekStores,
  passes: ReadonlyMap<number, DayCounts>,
): Promise<WeekCount> {
  const count = await countDays(plan, meters, stores, passes);
  const differences = [...count.differences];
  let events = 0;
  for (const meter of meters) events += await countEvents(plan, meter, stores, differencesIn(differences));
  return { ...count, events, differences };
}

/**
 * Counts days from the meters' logs and what is stored, slot by slot, with nothing of the closing pass, and compares with
 * its counts.
 */
export async function countDays(
  days: Days,
  meters: readonly CountedMeter[],
  stores: CountStores,
  passes: ReadonlyMap<number, DayCounts>,
): Promise<SlotCount> {
  const differences: string[] = [];
  const differs = differencesIn(differences);
  const byDay = new Map<number, Slots>();
  const reasons: Record<string, number> = {};
  const gaps = new Map<string, number>();
  let verified = 0;
  for (const meter of meters) {
    const stored = await storedOf(days, meter, stores, differs);
    verified += stored.verified;
    for (let day = days.start; day < days.end; day += DAY_MS) {
      const counts = byDay.get(day) ?? noSlots();
      byDay.set(day, counts);
      for (const reason of await countDay(days, meter, day, stored, stores, counts, differs)) {
        reasons[reason] = (reasons[reason] ?? 0) + 1;
        gaps.set(`${day} ${reason}`, (gaps.get(`${day} ${reason}`) ?? 0) + 1);
      }
    }
  }
  const total = noSlots();
  for (const [day, counts] of byDay) {
    const name = new Date(day).toISOString().slice(0, 10);
    const told = passes.get(day);
    for (const key of Object.keys(counts) as (keyof Slots)[]) {
      total[key] += counts[key];
      if (told?.[key] !== counts[key]) differs(`${name}: ${counts[key]} ${key}, the closing pass has ${told?.[key]}`);
    }
    for (const [reason, slots] of Object.entries(told?.reasons ?? {}))
      if (gaps.get(`${day} ${reason}`) !== slots)
        differs(`${name}: ${gaps.get(`${day} ${reason}`)} missing as ${reason}, the closing pass has ${slots}`);
    if (told?.unaccounted !== 0 || told.pending !== 0)
      differs(`${name}: ${told?.unaccounted} unaccounted for and ${told?.pending} pending`);
  }
  return { total, byDay, reasons, verified, differences };
}

interface Stored {
  /** `<set> <end>` → when it was read. */
  readonly readAt: ReadonlyMap<string, number>;
  readonly verified: number;
}

/** What is stored of a meter, each value compared with its own log. */
async function storedOf(
  { start, end: last }: Days,
  meter: CountedMeter,
  { blocks }: CountStores,
  differs: (text: string) => void,
): Promise<Stored> {
  const [from, to] = [start - DAY_MS, last + 2 * DAY_MS];
  const { intervals, registers } = await readReadings({ blocks }, meter.place, from, to);
  const logs = new Map(
    meter
      .captured(from, to)
      .map(({ channelSet, channels, entries }) => [
        channelSet,
        { channels, entries: new Map(entries.map((entry) => [entry.end, entry])) },
      ]),
  );
  const readAt = new Map<string, number>();
  let verified = 0;
  for (const { channelSet, channels, entries } of intervals) {
    const log = logs.get(channelSet);
    for (const { end, values, readAt: at } of entries) {
      const name = `${meter.meterId} ${channelSet} ${new Date(end).toISOString()}`;
      const truth = log?.entries.get(end);
      if (readAt.has(`${channelSet} ${end}`)) differs(`${name} is stored twice`);
      readAt.set(`${channelSet} ${end}`, at);
      for (const [channel, value] of values.entries()) {
        const measured = channels[channel];
        const own = log?.channels.findIndex(({ measurement }) => measurement === measured?.measurement) ?? -1;
        const equal = value === truth?.values[own] && measured?.scaler === log?.channels[own]?.scaler;
        if (equal) verified++;
        else differs(`${name}: stored ${value}, the meter has ${truth?.values[own]}`);
      }
    }
  }
  for (const { measurement, value, scaler, at } of registers)
    if (meter.given({ measurement, value, scaler, at })) verified++;
    else differs(`${meter.meterId}: ${measurement} ${value} of ${new Date(at).toISOString()} was never given`);
  return { readAt, verified };
}

/** Every slot of the meter's day: present, or missing with a reason that is true. Answers the reasons, one a slot. */
async function countDay(
  days: Days,
  meter: CountedMeter,
  day: number,
  { readAt }: Stored,
  { records }: CountStores,
  counts: Slots,
  differs: (text: string) => void,
): Promise<readonly string[]> {
  const entries = (await records.read(meter.place.segment, day))?.entries ?? [];
  const captured = new Map(
    meter
      .captured(day, day + DAY_MS)
      .map(({ channelSet, entries: held }) => [channelSet, new Set(held.map(({ end }) => end))]),
  );
  const gaps: string[] = [];
  let [expected, late] = [0, 0];
  for (const { set, period, end } of plannedSlots(meter, day)) {
    expected++;
    const at = readAt.get(`${set} ${end}`);
    if (at !== undefined) {
      counts.present++;
      if (at > day + DAY_MS + LATE_MS) late++;
      continue;
    }
    const number = (end - day) / (period * 1000) - 1;
    const reason = entries.find(
      (entry) =>
        entry.slot === meter.place.slot &&
        entry.set === set &&
        entry.period === period &&
        hasInterval(entry.bits, number),
    )?.reason;
    const name = `${meter.meterId} ${set} ${new Date(end).toISOString()}`;
    counts.missing++;
    gaps.push(reason ?? "none");
    if (reason === undefined) differs(`${name} is neither stored nor accounted for`);
    const isThere = captured.get(set)?.has(end) === true;
    const forgotten = end + meter.keepsMs(set) < days.end + DAY_MS;
    const gone = meter.until < Number.POSITIVE_INFINITY;
    if (isThere && !forgotten && !gone) differs(`${name} is missing (${reason}), and the meter has it still`);
  }
  if (expected === 0) return gaps;
  counts.expected += expected;
  counts.late += late;
  counts.meters++;
  if (gaps.length === 0) counts.complete++;
  const excluded = gaps.includes("busy");
  if (excluded) counts.excluded++;
  if (gaps.length > 0 || late > 0) return gaps;
  counts.inTime++;
  if (!excluded) counts.inTimeOfCounted++;
  return gaps;
}

/** What is expected of a UTC day: ends of the intervals that lie whole within a part of the meter's plan. */
function* plannedSlots({ plan }: CountedMeter, day: number): Generator<{ set: string; period: number; end: number }> {
  for (const [index, { from, sets }] of plan.entries()) {
    const until = plan[index + 1]?.from ?? Number.POSITIVE_INFINITY;
    for (const { set, period } of sets) {
      if (period >= 86_400) continue; // a day of local time: no grid of UTC days has it
      for (let end = day + period * 1000; end <= day + DAY_MS; end += period * 1000)
        if (end - period * 1000 >= from && end <= until) yield { set, period, end };
    }
  }
}

/**
 * What the meter's logs have is in its timeline, once. Events have no closing pass: of the last days they may not have been
 * read yet.
 */
async function countEvents(
  plan: WeekPlan,
  meter: FieldMeter,
  { timeline }: WeekStores,
  differs: (text: string) => void,
): Promise<number> {
  const to = Math.min(plan.end - Math.min(2, plan.days - 1) * DAY_MS, meter.until - 2 * DAY_MS);
  if (to <= plan.start) return 0;
  const own = meter.events(plan.start, to);
  // What the headend itself notes, of a clock that is off, is in no log of the meter.
  const kept = (await timeline.of(meter.meterId, plan.start, to, 10_000)).filter(
    (entry) => entry.kind === "event" && entry.log !== "headend",
  );
  const nameOf = ({ at, event, log, code }: { at: number; event: string; log: string; code: string }): string =>
    `${new Date(at).toISOString()} ${event} ${log} ${code}`;
  const names = new Set(kept.flatMap((entry) => (entry.kind === "event" ? [nameOf(entry)] : [])));
  const lost = own.map(nameOf).filter((name) => !names.has(name));
  if (kept.length !== own.length || lost.length > 0)
    differs(`${meter.meterId}: ${kept.length} events in its timeline, ${own.length} in its logs: ${lost.join(", ")}`);
  return kept.length;
}
