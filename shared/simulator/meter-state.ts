import type { Household } from "./household.ts";
import { LoadCurve, lastStep, STEP_MS } from "./load-model.ts";
import type { TruthLog } from "./truth-log.ts";
import { monthStart, type Zone } from "./zone.ts";

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
}

export function meterState(house: Household, options: Omit<MeterState, "load">): MeterState {
  return { ...options, load: new LoadCurve(house) };
}

/** End of the last interval that the meter has completed, by its own clock. */
export const lastCaptured = (state: MeterState): number => lastStep(state.now());

/** End of the oldest interval that it still keeps. */
export const firstKept = (state: MeterState): number => lastCaptured(state) - (state.profileDepth - 1) * STEP_MS;

/** The largest quarter-hour mean of import in this local month, W, and when it ended; 0 before the month's first. */
export function maxDemand(state: MeterState): { readonly powerW: number; readonly end: number } {
  const start = monthStart(state.zone, state.now());
  return state.load.maxDemand(start, state.now()) ?? { powerW: 0, end: start };
}
