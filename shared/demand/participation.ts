import { z } from "zod";
import { MeterId } from "../metering/meter.ts";
import { beginsAt, type DrEvent, endOf } from "./dr-event.ts";
import type { Baseline } from "./program.ts";

const STEP_MS = 900_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** How a meter took part: `told`: the meter showed it; `failed`: it could not be told, or did not do it. */
export const PARTICIPATION_OUTCOMES = ["told", "failed", "opted-out", "preempted", "not-told"] as const;

/** What one meter did in one event. Energies in whole Wh over its own time in the event; powers are means, W. */
export const Participation = z.strictObject({
  meterId: MeterId,
  outcome: z.enum(PARTICIPATION_OUTCOMES),
  /** Absent: intervals are missing of the event, or of all that it is compared with. */
  baselineWh: z.int().optional(),
  actualWh: z.int().optional(),
  beforeW: z.int().optional(),
  duringW: z.int().optional(),
  afterW: z.int().optional(),
});
export type Participation = z.infer<typeof Participation>;

/** Import registers at quarter-hours, Wh by the end of the interval (clock ms). */
export type RegisterCurve = ReadonlyMap<number, number>;

const whole = (instant: number): number => Math.ceil(instant / STEP_MS) * STEP_MS;

/** Wh between two quarter-hours; undefined: one of them is not there. */
function energy(curve: RegisterCurve, from: number, to: number): number | undefined {
  const [first, last] = [curve.get(from), curve.get(to)];
  return first === undefined || last === undefined ? undefined : last - first;
}

const meanW = (wh: number | undefined, ms: number): number | undefined =>
  wh === undefined ? undefined : Math.round((wh * HOUR_MS) / ms);

/** What the baseline says of a time: days without all of its quarter-hours are left out. Wh; undefined: nothing to compare with. */
export function baselineWh(curve: RegisterCurve, baseline: Baseline, from: number, to: number): number | undefined {
  if (baseline.kind === "level-before") {
    const before = energy(curve, from - HOUR_MS, from);
    return before === undefined ? undefined : Math.round((before * (to - from)) / HOUR_MS);
  }
  const days = Array.from({ length: baseline.days }, (_, day) =>
    energy(curve, from - (day + 1) * DAY_MS, to - (day + 1) * DAY_MS),
  ).filter((wh) => wh !== undefined);
  return days.length === 0 ? undefined : Math.round(days.reduce((sum, wh) => sum + wh, 0) / days.length);
}

/** Of the quarter-hours that lie wholly in the meter's own time of the event. */
export function measured(
  event: DrEvent,
  meterId: MeterId,
  baseline: Baseline,
  curve: RegisterCurve,
): Omit<Participation, "meterId" | "outcome"> {
  const from = whole(beginsAt(event, meterId));
  const to = Math.floor(endOf(event) / STEP_MS) * STEP_MS;
  if (from >= to) return {};
  const actual = energy(curve, from, to);
  const usual = baselineWh(curve, baseline, from, to);
  const figures = {
    baselineWh: actual === undefined ? undefined : usual,
    actualWh: actual,
    beforeW: meanW(energy(curve, from - HOUR_MS, from), HOUR_MS),
    duringW: meanW(actual, to - from),
    afterW: meanW(energy(curve, whole(endOf(event)), whole(endOf(event)) + HOUR_MS), HOUR_MS),
  };
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== undefined));
}

/** From when to when intervals are read for the measurement, clock ms. */
export const readRange = (event: DrEvent, baseline: Baseline): { readonly from: number; readonly to: number } => {
  const start = Math.floor((event.phases[0]?.from ?? 0) / STEP_MS) * STEP_MS;
  const back = baseline.kind === "mean-of-days" ? baseline.days * DAY_MS : 0;
  return { from: start - back - HOUR_MS - STEP_MS, to: whole(endOf(event)) + HOUR_MS };
};

/** Over those that were told and have figures. */
export function totalOf(entries: readonly Participation[]) {
  const told = entries.filter(({ outcome }) => outcome === "told");
  const sum = (of: (one: Participation) => number): number =>
    told
      .filter(({ baselineWh, actualWh }) => baselineWh !== undefined && actualWh !== undefined)
      .reduce((all, one) => all + of(one), 0);
  const [baseline, actual] = [sum((one) => one.baselineWh ?? 0), sum((one) => one.actualWh ?? 0)];
  return {
    meters: entries.length,
    told: told.length,
    baselineWh: baseline,
    actualWh: actual,
    shedWh: baseline - actual,
  };
}
