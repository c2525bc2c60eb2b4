import type { IntervalCounts } from "../jobs/schedule-runs.ts";
import { type FleetCounts, latencyAt, rateOf, WINDOW_NAMES } from "../kpi/count-fleet.ts";
import { FAILURES, type FailureReason } from "../metering/failure.ts";
import type { DaySummary } from "../readings/close-days.ts";
import type { Kpis } from "./kpis.ts";

const rate = (part: number, of: number) => ({ part, of, rate: rateOf(part, of) });

export const communicationView = (counts: FleetCounts): Kpis["communication"] =>
  WINDOW_NAMES.map((window) => ({
    window,
    all: rate(counts.communicating[window], counts.active),
    counted: rate(counts.communicatingOfCounted[window], counts.active - counts.excluded),
    silent: counts.active - counts.communicating[window],
  }));

export function latencyView({ latencies }: FleetCounts): Kpis["latency"] {
  const meters = Object.values(latencies).reduce((sum, count) => sum + count, 0);
  if (meters === 0) return { meters };
  return {
    meters,
    p50Ms: latencyAt(latencies, 0.5),
    p90Ms: latencyAt(latencies, 0.9),
    p95Ms: latencyAt(latencies, 0.95),
    p99Ms: latencyAt(latencies, 0.99),
  };
}

/** Most frequent first. */
export const exceptionsView = ({ reasons }: FleetCounts): Kpis["exceptions"] =>
  (Object.entries(reasons) as [FailureReason, number][])
    .sort(([, left], [, right]) => right - left)
    .map(([reason, meters]) => ({ reason, meters, hint: FAILURES[reason].hint }));

export const intervalsView = (counts: IntervalCounts) => ({ ...counts, rate: rateOf(counts.inTime, counts.expected) });

/** Undefined: the day was not counted yet. */
export function closedView({ day, counted }: DaySummary): Kpis["closed"] {
  if (counted === undefined) return undefined;
  const { counts, at, schedules = {} } = counted;
  const { expected, present, late, missing, unaccounted } = counts;
  return {
    day: new Date(day).toISOString().slice(0, 10),
    countedAt: at,
    read: {
      all: rate(counts.inTime, counts.meters),
      counted: rate(counts.inTimeOfCounted, counts.meters - counts.excluded),
    },
    expected,
    present,
    late,
    missing,
    unaccounted,
    completeness: rateOf(present, expected),
    schedules: Object.entries(schedules)
      .map(([scheduleId, intervals]) => ({ scheduleId, ...intervalsView(intervals) }))
      .sort((left, right) => (left.scheduleId < right.scheduleId ? -1 : 1)),
  };
}
