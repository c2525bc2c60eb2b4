import { SessionError } from "./failure.ts";
import type { Operation, TimeRange } from "./operation.ts";
import { INTERVAL_STATUS, type IntervalSet, type MeterEvent, type OperationResult } from "./result.ts";

type SetClock = Extract<Operation, { readonly kind: "setClock" }>;

/** A clock that is off by more is not set unless the order itself says how much it may be, ms. */
export const CLOCK_STEP_MAX_MS = 900_000;
/** How often a clock may be set within 24 h, by the meter's own log, unless the order says otherwise. */
export const CLOCK_SETS_A_DAY = 3;
export const DAY_MS = 86_400_000;

/** When a clock was read, ours: before the request and after its answer. */
export interface ReadSpan {
  readonly sentAt: number;
  readonly answeredAt: number;
}

/**
 * Meter clock minus ours, ms, and how far off that may be: the meter looked at its clock somewhere between request and
 * answer. Cristian's rule: the middle, give or take half the round trip.
 */
export function clockDifference(shown: number, { sentAt, answeredAt }: ReadSpan) {
  const clockUncertaintyMs = Math.ceil((answeredAt - sentAt) / 2);
  return { clockOffsetMs: shown - (sentAt + clockUncertaintyMs), clockUncertaintyMs };
}

/** A load profile as far as setting the clock concerns it. */
export interface ClockedSet {
  readonly channelSet: string;
  /** Seconds. */
  readonly period: number;
  /** Its entries have a status that says that the clock was adjusted. */
  readonly marked: boolean;
}

/** Sets of which an interval ends between two readings of one clock: a step from one to the other moves it over an edge. */
export const crossed = <S extends ClockedSet>(sets: readonly S[], from: number, to: number): readonly S[] =>
  sets.filter(({ period }) => Math.floor(from / (period * 1000)) !== Math.floor(to / (period * 1000)));

export interface ClockFound {
  readonly offsetMs: number;
  readonly uncertaintyMs: number;
  readonly toleranceMs: number;
  /** The meter's clock now. */
  readonly shown: number;
}

/**
 * Whether this clock is to be set, and which sets see it step over an edge of theirs. Throws `SessionError`: `clock.too-far`
 * beyond what the order allows; `clock.interval-edge` (later) where waiting lets an unmarked interval end first;
 * `clock.unmarked` where no waiting helps. Pure.
 */
export function clockStep(
  order: Pick<SetClock, "upToMs">,
  sets: readonly ClockedSet[],
  { offsetMs, uncertaintyMs, toleranceMs, shown }: ClockFound,
): { readonly due: boolean; readonly over: readonly ClockedSet[] } {
  if (Math.abs(offsetMs) <= Math.max(toleranceMs, uncertaintyMs)) return { due: false, over: [] };
  const upToMs = order.upToMs ?? CLOCK_STEP_MAX_MS;
  if (Math.abs(offsetMs) > upToMs)
    throw new SessionError("unsafe", "clock.too-far", "the clock is farther off than the order may set it", {
      detail: { offsetMs, upToMs },
    });
  const over = crossed(sets, shown, shown - offsetMs);
  const unmarked = over.find(({ marked }) => !marked);
  if (unmarked !== undefined) {
    const { channelSet, period } = unmarked;
    const waits = Math.abs(offsetMs) < (period * 1000) / 2;
    throw new SessionError(
      "unsafe",
      waits ? "clock.interval-edge" : "clock.unmarked",
      `setting the clock would cross the end of an interval of ${channelSet}, whose entries do not say so`,
      { retry: waits ? "later" : "never", detail: { offsetMs, period } },
    );
  }
  return { due: true, over };
}

/** When the clock was set, by what logs hold; two logs may tell of the same. */
export const clockSets = (events: readonly MeterEvent[]): readonly number[] => [
  ...new Set(events.flatMap(({ event, at }) => (event === "clock.set" ? [at] : []))),
];

/** The range that shows whether intervals in which the clock was set say so; undefined: there are none that have ended. */
export function rangeOfMarks(sets: readonly ClockedSet[], at: readonly number[], shown: number): TimeRange | undefined {
  const periodMs = Math.max(...sets.flatMap(({ marked, period }) => (marked ? [period * 1000] : [])));
  const past = at.filter((time) => time + periodMs <= shown);
  if (!Number.isFinite(periodMs) || past.length === 0) return undefined;
  return { from: Math.min(...past) - 1000, to: Math.max(...past) + periodMs };
}

/** Sets of which an interval in which the clock was set is there and does not say so. */
export function unmarked(
  sets: readonly ClockedSet[],
  at: readonly number[],
  intervals: readonly IntervalSet[],
): OperationResult["refusals"] {
  return sets.flatMap(({ channelSet, period, marked }) => {
    if (!marked) return [];
    const ends = new Set(at.map((time) => Math.ceil(time / (period * 1000)) * period * 1000));
    const found = intervals.find((one) => one.channelSet === channelSet)?.entries ?? [];
    const silent = found.some(({ end, status }) => ends.has(end) && (status & INTERVAL_STATUS.clockAdjusted) === 0);
    return silent ? [{ item: channelSet, code: "clock.unmarked" }] : [];
  });
}

/** Throws `SessionError` `clock.set-too-often` where the meter's log shows as many settings as a day may have. */
export function checkSetsADay(order: Pick<SetClock, "aDay">, sets: number): void {
  const aDay = order.aDay ?? CLOCK_SETS_A_DAY;
  if (sets >= aDay)
    throw new SessionError("unsafe", "clock.set-too-often", "the clock was set as often as a day may have it", {
      retry: "later",
      detail: { sets, aDay },
    });
}
