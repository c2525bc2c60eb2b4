import { z } from "zod";
import { FAILURE_REASONS } from "../metering/failure.ts";
import { SEGMENT_SLOTS } from "../metering/meter.ts";
import { dayOf } from "../readings/day-block.ts";
import { type FleetColumns, latencyMs, powerOf, switchStateOf } from "../readings/fleet-columns.ts";
import { inBitmap } from "../registry/member-sets.ts";

/** Windows in which a meter may have answered, ms. */
export const WINDOWS = { hour: 3_600_000, day: 86_400_000, week: 604_800_000 } as const;
export type Window = keyof typeof WINDOWS;
export const WINDOW_NAMES = Object.keys(WINDOWS) as readonly Window[];

/** One segment as it is counted. Bitmaps: slot n is bit n % 8 of octet n / 8. */
export interface FleetSegment {
  readonly segment: number;
  /** Active meters: those that are enrolled. */
  readonly active: Uint8Array;
  readonly maintenance?: Uint8Array | undefined;
  /** Undefined: nothing was ever heard of them. */
  readonly columns?: FleetColumns | undefined;
}

const ByWindow = z.strictObject({ hour: z.int(), day: z.int(), week: z.int() });
const ByName = z.record(z.string(), z.int());

/** Counts of meters; those of segments add up to those of the fleet. */
export const FleetCounts = z.strictObject({
  active: z.int(),
  /** In maintenance, or found busy by the last try. */
  excluded: z.int(),
  /** Of the active: with an authenticated exchange in the window. */
  communicating: ByWindow,
  /** Of those that are not excluded. */
  communicatingOfCounted: ByWindow,
  /** Of the active whose last try failed: reason → meters. */
  reasons: ByName,
  /** By the last exchange. */
  powerOff: z.int(),
  /** Position → meters, of those that were ever looked at. */
  switches: ByName,
  /** Of which intervals of the running UTC day are missing. */
  missingToday: z.int(),
  /** Step of latency → meters whose last exchange, within the day, was a read. */
  latencies: ByName,
});
export type FleetCounts = z.infer<typeof FleetCounts>;

export const NO_METERS: FleetCounts = {
  active: 0,
  excluded: 0,
  communicating: { hour: 0, day: 0, week: 0 },
  communicatingOfCounted: { hour: 0, day: 0, week: 0 },
  reasons: {},
  powerOff: 0,
  switches: {},
  missingToday: 0,
  latencies: {},
};

const BUSY = FAILURE_REASONS.indexOf("busy");

/** What is asked of one meter, in the words of the KPIs; `nowMs`: product clock. */
export interface MeterWords {
  readonly active: boolean;
  readonly excluded: boolean;
  readonly communicated: (window: Window) => boolean;
  /** Why the last try failed; `none`: it did not, or there was none. */
  readonly reason: string;
  readonly powerOff: boolean;
  readonly position?: string | undefined;
  readonly missingToday: boolean;
  /** Undefined: the last exchange was no read, or is older than a day. */
  readonly latency?: number | undefined;
}

/** The one place where the words are defined: counts and the lists behind them both ask here. */
export function wordsOf({ active, maintenance, columns }: FleetSegment, slot: number, nowMs: number): MeterWords {
  const contactMs = (columns?.contact[slot] ?? 0) * 1000;
  const communicated = (window: Window): boolean => contactMs > 0 && contactMs >= nowMs - WINDOWS[window];
  const reason = columns?.reason[slot] ?? 0;
  const intervalsMs = (columns?.intervalsAt[slot] ?? 0) * 1000;
  return {
    active: inBitmap(active, slot),
    excluded: inBitmap(maintenance, slot) || reason === BUSY,
    communicated,
    reason: FAILURE_REASONS[reason] ?? "internal",
    powerOff: columns !== undefined && powerOf(columns, slot).state === "off",
    position: switchStateOf(columns?.position[slot] ?? 0)?.position,
    missingToday: (columns?.missing[slot] ?? 0) > 0 && dayOf(intervalsMs) === dayOf(nowMs),
    latency: communicated("day") ? columns?.latency[slot] || undefined : undefined,
  };
}

function countUp(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}

export function countSegment(segment: FleetSegment, nowMs: number): FleetCounts {
  const communicating = { hour: 0, day: 0, week: 0 };
  const communicatingOfCounted = { hour: 0, day: 0, week: 0 };
  let [active, excluded, powerOff, missingToday] = [0, 0, 0, 0];
  const reasons: Record<string, number> = {};
  const switches: Record<string, number> = {};
  const latencies: Record<string, number> = {};
  for (let slot = 0; slot < SEGMENT_SLOTS; slot++) {
    if (!inBitmap(segment.active, slot)) continue;
    const words = wordsOf(segment, slot, nowMs);
    active++;
    if (words.excluded) excluded++;
    for (const window of WINDOW_NAMES) {
      if (!words.communicated(window)) continue;
      communicating[window]++;
      if (!words.excluded) communicatingOfCounted[window]++;
    }
    if (words.reason !== "none") countUp(reasons, words.reason);
    if (words.powerOff) powerOff++;
    if (words.position !== undefined) countUp(switches, words.position);
    if (words.missingToday) missingToday++;
    if (words.latency !== undefined) countUp(latencies, String(words.latency));
  }
  return {
    active,
    excluded,
    communicating,
    communicatingOfCounted,
    reasons,
    powerOff,
    switches,
    missingToday,
    latencies,
  };
}

type Names = FleetCounts["reasons"];
function sumByName(left: Names, right: Names): Names {
  const sum = { ...left };
  for (const [name, count] of Object.entries(right)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}
const sumByWindow = (
  left: FleetCounts["communicating"],
  right: FleetCounts["communicating"],
): FleetCounts["communicating"] => ({
  hour: left.hour + right.hour,
  day: left.day + right.day,
  week: left.week + right.week,
});

export const sumCounts = (left: FleetCounts, right: FleetCounts): FleetCounts => ({
  active: left.active + right.active,
  excluded: left.excluded + right.excluded,
  communicating: sumByWindow(left.communicating, right.communicating),
  communicatingOfCounted: sumByWindow(left.communicatingOfCounted, right.communicatingOfCounted),
  reasons: sumByName(left.reasons, right.reasons),
  powerOff: left.powerOff + right.powerOff,
  switches: sumByName(left.switches, right.switches),
  missingToday: left.missingToday + right.missingToday,
  latencies: sumByName(left.latencies, right.latencies),
});

/** Null: of nobody. */
export const rateOf = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

/** The latency that this share of the meters does not exceed, ms; undefined: there are none. */
export function latencyAt(latencies: FleetCounts["latencies"], share: number): number | undefined {
  const steps = Object.entries(latencies)
    .map(([code, count]) => [Number(code), count] as const)
    .sort(([left], [right]) => left - right);
  let left = Math.ceil(steps.reduce((sum, [, count]) => sum + count, 0) * share);
  for (const [code, count] of steps) {
    left -= count;
    if (left <= 0) return latencyMs(code);
  }
  return undefined;
}
