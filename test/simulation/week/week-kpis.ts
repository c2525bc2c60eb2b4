import { closedView } from "../../../shared/api/kpi-view.ts";
import { type FleetCounts, WINDOW_NAMES, WINDOWS } from "../../../shared/kpi/count-fleet.ts";
import type { FleetHistory } from "../../../shared/kpi/fleet-history.ts";
import { countFleet, type FleetPorts } from "../../../shared/kpi/walk-fleet.ts";
import type { DayCounts } from "../../../shared/readings/missing-records.ts";
import type { FieldMeter } from "./field-meter.ts";
import type { Slots } from "./week-count.ts";
import { DAY_MS, type WeekPlan } from "./week-plan.ts";

/** A meter while the headend has it on its books, true time. */
export interface Enrolment {
  readonly meter: FieldMeter;
  readonly from: number;
  until: number;
}

type Told = Pick<FleetCounts, "active" | "communicating">;

/** What a meter said so shortly before a count, ms, may still be on its way to the headend's tables. */
const ON_THE_WAY_MS = 60_000;

/** Counted from what the meters themselves witnessed up to `last`. */
function heardBy(enrolments: readonly Enrolment[], asOf: number, last: number): Told {
  const active = enrolments.filter(({ from, until }) => from <= asOf && asOf < until);
  const within = (ms: number): number =>
    active.filter(({ meter }) => meter.heardAt.some((at) => at >= asOf - ms && at <= last)).length;
  const { hour, day, week } = WINDOWS;
  return { active: active.length, communicating: { hour: within(hour), day: within(day), week: within(week) } };
}

/**
 * Compares the key figures with a count of what the meters witnessed: the fleet at the end, and as it was counted after
 * each day; and the rates of the closed days. Answers what differs, and how many meters communicated in the last hour.
 */
export async function compareKpis(
  { start, end }: WeekPlan,
  enrolments: readonly Enrolment[],
  ports: FleetPorts & { readonly history: FleetHistory },
  closed: ReadonlyMap<number, { readonly told: DayCounts; readonly counted: Slots }>,
  now: number,
): Promise<{ readonly differences: readonly string[]; readonly heard: number; readonly daysCounted: number }> {
  const differences: string[] = [];
  const compare = (
    what: string,
    told: Told,
    windows: readonly (keyof typeof WINDOWS)[],
    asOf: number,
    onTheWayMs = 0,
  ): void => {
    const own = heardBy(enrolments, asOf, asOf);
    const least = heardBy(enrolments, asOf, asOf - onTheWayMs);
    if (told.active !== own.active) differences.push(`${what}: ${told.active} active, there are ${own.active}`);
    for (const window of windows)
      if (
        told.communicating[window] > own.communicating[window] ||
        told.communicating[window] < least.communicating[window]
      )
        differences.push(
          `${what}: ${told.communicating[window]} communicated within the ${window}, ${own.communicating[window]} did`,
        );
  };
  const { counts } = await countFleet(ports, now);
  compare("at the end", counts, WINDOW_NAMES, now);
  // Of the hour around midnight some results are still on their way.
  const days = await ports.history.days(start, end - DAY_MS);
  for (const { day, asOf, counts: told } of days)
    compare(new Date(day).toISOString().slice(0, 10), told, ["day", "week"], asOf, ON_THE_WAY_MS);
  for (const [day, { told, counted }] of closed) {
    const view = closedView({ day, passes: 1, version: 1, counted: { at: now, counts: told } });
    const own = {
      read: counted.inTime / counted.meters,
      counted: counted.inTimeOfCounted / (counted.meters - counted.excluded),
      completeness: counted.present / counted.expected,
    };
    if (
      view?.read.all.rate !== own.read ||
      view.read.counted.rate !== own.counted ||
      view.completeness !== own.completeness
    )
      differences.push(`${view?.day}: ${JSON.stringify(view)}, counted ${JSON.stringify(own)}`);
  }
  return { differences, heard: counts.communicating.hour, daysCounted: days.length };
}
