import type { Data } from "../dlms/data.ts";
import { UNIT } from "../dlms/objects/unit.ts";
import type { Measurement } from "../metering/measurement.ts";
import { doubleLongUnsigned, long, longUnsigned } from "./cosem-data.ts";
import type { Energy, Phase } from "./load-model.ts";
import { type MeterState, maxDemandAt } from "./meter-state.ts";

/** What a meter measures: the truth before any encoding. */
export interface Quantity {
  /** `value × 10^scaler` of the unit. */
  readonly scaler: number;
  /** COSEM unit code. */
  readonly unit: number;
  readonly encode: (value: number) => Data;
  /** At an instant of the meter's clock; `periodMs`: of the interval that ends there. */
  readonly at: (instant: number, periodMs: number) => number;
  /** When the value arose; absent: at the last quarter-hour (`momentary`: just now). */
  readonly capturedAt?: (instant: number) => number;
  /** Measured at the moment, not counted up to the last quarter-hour. */
  readonly momentary: boolean;
}

const ENERGY = /^energy\.(active|reactive|apparent)\.(import|export|q[1-4])\.(total|interval|tou\.([1-8]))$/;
const DEMAND = /^demand\.(active|reactive|apparent)\.import\.max(?:\.tou\.([1-8]))?$/;
const PHASED =
  /^(voltage|current|power\.active\.import|power\.active\.export|power-factor)\.(l[123])(?:\.(line|load|average))?$/;

/** Share of the load on each phase of a three-phase meter; one phase carries all. */
const SHARES: Readonly<Record<Phase, number>> = { l1: 0.5, l2: 0.3, l3: 0.2 };
/** Volts that a closed switch costs, tenths. */
const SWITCH_DROP = 1;

/** Active energy turned into another one by a power factor that is the household's own. */
function energyOf(state: MeterState, kind: string, direction: string, { importWh, exportWh }: Energy): number {
  const share = state.load.reactiveShare;
  if (kind === "active") return direction === "export" ? exportWh : importWh;
  if (kind === "apparent")
    return Math.floor((direction === "export" ? exportWh : importWh) * Math.sqrt(1 + share * share));
  const quadrants = {
    q1: Math.floor(importWh * share),
    q2: Math.floor(exportWh * share * 0.1),
    q3: Math.floor(exportWh * share),
    q4: Math.floor(importWh * share * 0.1),
  };
  if (direction === "import") return quadrants.q1 + quadrants.q2;
  if (direction === "export") return quadrants.q3 + quadrants.q4;
  return quadrants[direction as keyof typeof quadrants];
}

const ENERGY_UNIT = { active: UNIT.Wh, reactive: UNIT.varh, apparent: UNIT.VAh } as const;
const DEMAND_UNIT = { active: UNIT.W, reactive: UNIT.var, apparent: UNIT.VA } as const;
type Kind = keyof typeof ENERGY_UNIT;
const rateOf = (digit: string | undefined): number | undefined => (digit === undefined ? undefined : Number(digit));

function energy(state: MeterState, [, kind, direction, form, digit]: readonly (string | undefined)[]): Quantity {
  const rate = rateOf(digit);
  const register = (instant: number): number => {
    const active = rate === undefined ? state.load.energyAt(instant) : state.tariff.energyAt(rate, instant);
    return energyOf(state, kind ?? "", direction ?? "", active);
  };
  return {
    scaler: 0,
    unit: ENERGY_UNIT[kind as Kind],
    encode: doubleLongUnsigned,
    at: (instant, periodMs) =>
      form === "interval" ? register(instant) - register(instant - periodMs) : register(instant),
    momentary: false,
  };
}

function demand(state: MeterState, [, kind, digit]: readonly (string | undefined)[]): Quantity {
  const rate = rateOf(digit);
  const found = (instant: number) => maxDemandAt(state, instant, rate);
  const share = state.load.reactiveShare;
  const factor = kind === "active" ? 1 : kind === "reactive" ? share : Math.sqrt(1 + share * share);
  return {
    scaler: 0,
    unit: DEMAND_UNIT[kind as Kind],
    encode: doubleLongUnsigned,
    at: (instant) => Math.floor(found(instant).powerW * factor),
    capturedAt: (instant) => found(instant).end,
    momentary: false,
  };
}

const momentary = (
  unit: number,
  scaler: number,
  at: (instant: number, periodMs: number) => number,
  encode: (value: number) => Data = longUnsigned,
): Quantity => ({ unit, scaler, at, encode, momentary: true });

/** Watts of a phase now; nothing flows through an open switch. */
function powerOf(state: MeterState, phase: Phase | undefined, instant: number): number {
  if (!state.relay.closed) return 0;
  const watts = state.load.powerAt(instant);
  if (phase === undefined) return watts;
  const share = state.phases === 1 ? (phase === "l1" ? 1 : 0) : SHARES[phase];
  return Math.floor(watts * share);
}
const voltageOf = (state: MeterState, phase: Phase, instant: number): number => state.load.voltageAt(instant, phase);
const currentOf = (state: MeterState, phase: Phase, instant: number): number =>
  Math.floor((powerOf(state, phase, instant) * 1000) / voltageOf(state, phase, instant));
const powerFactorOf = (state: MeterState): number => Math.round(1000 / Math.sqrt(1 + state.load.reactiveShare ** 2));

function phased(state: MeterState, [, what, name, form]: readonly (string | undefined)[]): Quantity | undefined {
  const phase = name as Phase;
  const mean = (of: (state: MeterState, phase: Phase, instant: number) => number) => (end: number, periodMs: number) =>
    of(state, phase, form === "average" ? end - periodMs / 2 : end);
  switch (what) {
    case "voltage":
      if (form !== "load") return momentary(UNIT.V, -1, mean(voltageOf));
      return momentary(UNIT.V, -1, (instant) => {
        if (state.loadSideLive) return voltageOf(state, phase, instant);
        return state.relay.closed ? voltageOf(state, phase, instant) - SWITCH_DROP : 0;
      });
    case "current":
      return momentary(UNIT.A, -2, mean(currentOf));
    case "power.active.import":
      return momentary(UNIT.W, 0, (instant) => powerOf(state, phase, instant), doubleLongUnsigned);
    case "power.active.export":
      return momentary(UNIT.W, 0, () => 0, doubleLongUnsigned);
    default:
      return momentary(UNIT.count, -3, () => powerFactorOf(state), long);
  }
}

const TOTALS: Readonly<Partial<Record<Measurement, (state: MeterState) => Quantity>>> = {
  "power.active.import.total": (state) =>
    momentary(UNIT.W, 0, (instant) => powerOf(state, undefined, instant), doubleLongUnsigned),
  "power.active.export.total": () => momentary(UNIT.W, 0, () => 0, doubleLongUnsigned),
  "power.reactive.import.total": (state) =>
    momentary(
      UNIT.var,
      0,
      (instant) => Math.floor(powerOf(state, undefined, instant) * state.load.reactiveShare),
      doubleLongUnsigned,
    ),
  "power.apparent.total": (state) =>
    momentary(
      UNIT.VA,
      0,
      (instant) => Math.floor(powerOf(state, undefined, instant) * Math.sqrt(1 + state.load.reactiveShare ** 2)),
      doubleLongUnsigned,
    ),
  "power-factor.total": (state) => momentary(UNIT.count, -3, () => powerFactorOf(state), long),
  "current.neutral": (state) => momentary(UNIT.A, -2, (instant) => currentOf(state, "l1", instant)),
  frequency: (state) => momentary(UNIT.Hz, -2, (instant) => state.load.frequencyAt(instant)),
};

/** What an electricity meter measures under a name; undefined: this model has none. */
export function quantityOf(state: MeterState, measurement: Measurement): Quantity | undefined {
  const ofEnergy = ENERGY.exec(measurement);
  if (ofEnergy !== null) return energy(state, ofEnergy);
  const ofDemand = DEMAND.exec(measurement);
  if (ofDemand !== null) return demand(state, ofDemand);
  const ofPhase = PHASED.exec(measurement);
  if (ofPhase !== null) return phased(state, ofPhase);
  return TOTALS[measurement]?.(state);
}
