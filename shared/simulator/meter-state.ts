import type { DemandResets } from "./demand-resets.ts";
import type { Household } from "./household.ts";
import { LoadCurve, lastStep, STEP_MS } from "./load-model.ts";
import type { TruthLog } from "./truth-log.ts";
import { monthStart, wallTime, type Zone } from "./zone.ts";

/** What a meter's objects are made from: its own clock, its load, and the log of what it showed. */
export interface MeterState {
  readonly zone: Zone;
  /** The meter's own clock, drift included; clock milliseconds. */
  readonly now: () => number;
  /** The time that it should show. */
  readonly trueNow: () => number;
  readonly load: LoadCurve;
  /** Entries that the load profile keeps. */
  readonly profileDepth: number;
  readonly truth: TruthLog;
  readonly resets: DemandResets;
}

export function meterState(house: Household, options: Omit<MeterState, "load">): MeterState {
  return { ...options, load: new LoadCurve(house) };
}

/** End of the last interval that the meter has completed, by its own clock. */
export const lastCaptured = (state: MeterState): number => lastStep(state.now());

/** End of the oldest interval that it still keeps. */
export const firstKept = (state: MeterState): number => lastCaptured(state) - (state.profileDepth - 1) * STEP_MS;

/** When the demand register was last set back: by order, or by the meter itself at the beginning of the month. */
export const lastReset = (state: MeterState): number =>
  Math.max(monthStart(state.zone, state.now()), state.resets.state.lastAt);

/** The billing period counter: months that ended since the meter left its factory at the end of 2024, and orders. */
export function resetCount(state: MeterState): number {
  const { year, month } = wallTime(state.zone, state.now());
  return Math.max(0, (year - 2025) * 12 + month - 1) + state.resets.state.count;
}

/** The largest quarter-hour mean of import since the last reset, W, and when it ended; 0 before the first. */
export function maxDemand(state: MeterState): { readonly powerW: number; readonly end: number } {
  const start = lastReset(state);
  return state.load.maxDemand(start, state.now()) ?? { powerW: 0, end: start };
}
