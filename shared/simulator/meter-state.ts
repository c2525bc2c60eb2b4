import { INTERVAL_STATUS } from "../metering/result.ts";
import type { DemandResets } from "./demand-resets.ts";
import {
  CONTROL_MODES,
  type ControlMode,
  closedSwitch,
  DisconnectSwitch,
  type SwitchCause,
} from "./disconnect-switch.ts";
import { EventMemory } from "./event-memory.ts";
import { controllableLoad, type Household } from "./household.ts";
import { type KeptState, NOTHING_KEPT } from "./kept-state.ts";
import { factoryRate, LoadCurve, lastStep, STEP_MS } from "./load-model.ts";
import { FREE_LOAD, LoadRelay } from "./load-relay.ts";
import { MeterClock } from "./meter-clock.ts";
import type { Shortens } from "./profile-generic-object.ts";
import { TariffMemory } from "./tariff-memory.ts";
import type { TruthLog } from "./truth-log.ts";
import { intervalStatus } from "./truth-log.ts";
import { monthStart, wallTime, type Zone } from "./zone.ts";

/** What a meter's objects are made from: its own clock, its load, its switch, and the log of what it showed. */
export interface MeterState {
  readonly zone: Zone;
  /** The meter's own clock, drift included; clock milliseconds. */
  readonly now: () => number;
  readonly clock: MeterClock;
  /** The time that it should show. */
  readonly trueNow: () => number;
  readonly load: LoadCurve;
  readonly tariff: TariffMemory;
  readonly truth: TruthLog;
  readonly resets: DemandResets;
  readonly relay: DisconnectSwitch;
  /** The control point in front of a large load of the house; absent: it has none. */
  readonly loadRelay?: LoadRelay;
  readonly events: EventMemory;
  readonly phases: 1 | 3;
  /** Somebody bypasses the switch, or feeds back: the load side is live whatever the switch does. */
  readonly loadSideLive: boolean;
  /** How its load profiles shorten their entries. */
  readonly shortens: Shortens | undefined;
  /** What it has of a power cut. */
  readonly kept: () => KeptState;
}

export interface MeterStateOptions {
  readonly zone: Zone;
  readonly trueNow: () => number;
  /** Meter clock minus true time when it left the factory, ms. */
  readonly clockOffsetMs: number;
  /** How fast its clock runs, parts in a million; absent: 0. */
  readonly clockPpm?: number | undefined;
  readonly truth: TruthLog;
  readonly resets: DemandResets;
  readonly phases?: 1 | 3;
  /** control_mode of a switch that was never set. */
  readonly controlMode?: number;
  /** It has a control point for a load behind it. */
  readonly loadControl?: boolean;
  readonly welded?: boolean;
  readonly loadSideLive?: boolean;
  readonly shortens?: Shortens | undefined;
  readonly kept?: KeptState;
  /** Called when `kept` changes. */
  readonly changed?: () => void;
}

/** What a move of the switch is logged as, and by whom: by hand, by remote order, by the meter itself. */
const SWITCH_EVENTS: Readonly<Record<SwitchCause, readonly ["switch.opened" | "switch.closed", variant: number]>> = {
  "manual-disconnect": ["switch.opened", 0],
  "manual-reconnect": ["switch.closed", 0],
  "remote-disconnect": ["switch.opened", 1],
  "remote-reconnect": ["switch.closed", 1],
  "local-disconnect": ["switch.opened", 2],
  "local-reconnect": ["switch.closed", 2],
};
const controlMode = (mode = 0): ControlMode => (mode in CONTROL_MODES ? (mode as ControlMode) : 0);

export function meterState(house: Household, options: MeterStateOptions): MeterState {
  const { zone, trueNow, truth, resets, phases = 1, kept = NOTHING_KEPT, changed = () => undefined } = options;
  const onClockSet = (before: number, after: number): void => {
    events.record("clock.changed", before);
    events.record("clock.set", after);
    changed();
  };
  const clock = new MeterClock(trueNow, kept.clockOffsetMs ?? options.clockOffsetMs, onClockSet, options.clockPpm);
  const relay = new DisconnectSwitch({
    now: trueNow,
    state: kept.relay ?? closedSwitch(controlMode(options.controlMode)),
    welded: options.welded ?? false,
    onMoved: (cause, to) => {
      const [event, variant] = SWITCH_EVENTS[cause];
      if (to === "ready" && cause === "remote-reconnect") events.record("switch.armed");
      else events.record(event, clock.now(), variant);
    },
    onModeSet: changed,
  });
  const loadRelay = options.loadControl
    ? new LoadRelay({ now: trueNow, state: kept.load ?? FREE_LOAD, changed })
    : undefined;
  const load = new LoadCurve(
    house,
    () => relay.openSpans,
    loadRelay && { share: controllableLoad(house).share, spans: () => loadRelay.spans },
  );
  const events = new EventMemory({
    seed: house.noiseSeed,
    load,
    phases,
    now: () => clock.now(),
    recorded: kept.events ?? [],
    changed,
  });
  return {
    zone,
    clock,
    now: () => clock.now(),
    trueNow,
    load,
    tariff: new TariffMemory(load),
    truth,
    resets,
    relay,
    ...(loadRelay && { loadRelay }),
    events,
    phases,
    loadSideLive: options.loadSideLive ?? false,
    shortens: options.shortens,
    kept: () => ({
      clockOffsetMs: clock.offsetMs,
      relay: relay.kept,
      events: events.recorded,
      ...(loadRelay && { load: loadRelay.kept }),
    }),
  };
}

/** End of the last interval that the meter has completed, by its own clock. */
export const lastCaptured = (state: MeterState): number => lastStep(state.now());

/** `INTERVAL_STATUS` bits of the interval (end - periodMs, end]. */
export function statusAt(state: MeterState, end: number, periodMs = STEP_MS): number {
  let status = intervalStatus(state.load, state.zone, end) | state.events.statusOf(end - periodMs, end);
  if (periodMs > STEP_MS)
    for (let step = end - periodMs + STEP_MS; step < end; step += STEP_MS)
      status |= intervalStatus(state.load, state.zone, step) & INTERVAL_STATUS.clockAdjusted;
  return status;
}

/** When the demand register was last set back: by order, or by the meter itself at the beginning of the month. */
export const lastReset = (state: MeterState): number => resetBefore(state, state.now());

/** The same as it was at an instant. An order leaves its time alone: of an earlier one nothing is known. */
function resetBefore(state: MeterState, instant: number, month = monthStart(state.zone, instant)): number {
  const { lastAt } = state.resets.state;
  return lastAt <= instant ? Math.max(month, lastAt) : month;
}

/** The billing period counter: months that ended since the meter left its factory at the end of 2024, and orders. */
export function resetCount(state: MeterState): number {
  const { year, month } = wallTime(state.zone, state.now());
  return Math.max(0, (year - 2025) * 12 + month - 1) + state.resets.state.count;
}

/**
 * The largest quarter-hour mean of import since the last reset before `instant`, W, and when it ended; 0 before the
 * first. At the end of a month it is that month's.
 */
export function maxDemandAt(
  state: MeterState,
  instant: number,
  rate?: number,
): { readonly powerW: number; readonly end: number } {
  const start = resetBefore(state, instant, monthStart(state.zone, instant - 1));
  const nothing = { powerW: 0, end: start };
  if (rate === undefined) return state.load.maxDemand(start, instant) ?? nothing;
  const counts = (end: number): boolean => (state.tariff.tierBefore(end) ?? factoryRate(end)) === rate;
  return state.load.maxDemand(start, instant, counts) ?? nothing;
}
export const maxDemand = (state: MeterState): { readonly powerW: number; readonly end: number } =>
  maxDemandAt(state, state.now());
