import type { OpenSpan } from "./disconnect-switch.ts";
import type { Household } from "./household.ts";
import { noise } from "./noise.ts";

/** A quarter of an hour: the step of every register and of the load profile, ms. */
export const STEP_MS = 900_000;
const STEPS_A_DAY = 96;
const DAY_MS = 86_400_000;
/** The household's day begins at midnight of UTC+1, summer and winter. */
const DAY_SHIFT_MS = 3_600_000;
/** 2015-01-01: where a household's history begins. */
const FIRST_DAY = 16_436;
const YEAR_DAYS = 365.25;
/** Monday to Sunday; their sum is 7, so that a week is seven mean days. */
const WEEKDAY = [0.97, 0.96, 0.97, 0.97, 0.98, 1.06, 1.09] as const;
const WEEKDAY_BEFORE = WEEKDAY.map((_, day) => WEEKDAY.slice(0, day).reduce((sum, factor) => sum + factor, 0));
/** How far a day may be from its expectation, in mean days; below the least expectation, so that registers only rise. */
const DAY_NOISE = 0.2;
/** Summer over winter of the panels; 1 - this must stay above DAY_NOISE. */
const PANELS_SEASONALITY = 0.7;

const SALT = {
  importDay: 1,
  exportDay: 2,
  load: 3,
  appliance: 4,
  cloud: 5,
  voltage: 6,
  adjusted: 7,
  voltageL2: 8,
  voltageL3: 9,
  frequency: 10,
} as const;
const VOLTAGE_SALT = { l1: SALT.voltage, l2: SALT.voltageL2, l3: SALT.voltageL3 } as const;
export type Phase = keyof typeof VOLTAGE_SALT;
/** Rates of the tariff: 1 on Saturdays and Sundays, 2 on other days, by the household's own day. */
export type Rate = 1 | 2;

/** Cumulative energy, whole Wh. */
export interface Energy {
  readonly importWh: number;
  readonly exportWh: number;
}

/**
 * A time in which the load behind a control point was kept from something, by true time, ms; `to` undefined: until now. By
 * level: the share of the time that it may run, 0 to 100. By watts: it is shed while the house's import is above that.
 */
export type LoadControlSpan = { readonly from: number; readonly to: number | undefined } & (
  | { readonly level: number }
  | { readonly watts: number }
);

/** What of the import a controllable load is, 0..1, and when it was controlled. */
export interface ControlledLoad {
  readonly share: number;
  readonly spans: () => readonly LoadControlSpan[];
}

const dayOf = (instant: number): number => Math.floor((instant + DAY_SHIFT_MS) / DAY_MS);
const dayStart = (day: number): number => day * DAY_MS - DAY_SHIFT_MS;
const yearPhase = (day: number): number => (2 * Math.PI * (day - 15)) / YEAR_DAYS; // coldest in the middle of January

/**
 * Energy from the beginning of the history to the beginning of `day`, in closed form: no day needs the ones before it.
 * The noise is added to the cumulative curve, so it telescopes.
 */
function importBefore(house: Household, day: number): number {
  const days = day - FIRST_DAY;
  const weekday = (((days + 3) % 7) + 7) % 7; // 2015-01-01 was a Thursday
  const weeks = Math.floor((days + 3) / 7);
  const expected =
    7 * weeks +
    WEEKDAY_BEFORE[weekday]! +
    ((house.seasonality * YEAR_DAYS) / (2 * Math.PI)) * Math.sin(yearPhase(day)) +
    DAY_NOISE * noise(house.noiseSeed, SALT.importDay, day);
  return Math.max(0, house.importStartWh + Math.round(house.importWhADay * expected));
}

function exportBefore(house: Household, day: number): number {
  const expected =
    day -
    FIRST_DAY -
    ((PANELS_SEASONALITY * YEAR_DAYS) / (2 * Math.PI)) * Math.sin(yearPhase(day)) +
    DAY_NOISE * noise(house.noiseSeed, SALT.exportDay, day);
  return Math.max(0, house.exportStartWh + Math.round(house.exportWhADay * expected));
}

const bump = (step: number, at: number, width: number): number => Math.exp(-(((step - at) / width) ** 2));

/** 0 at night, 1 at noon; days are longer in summer. */
function daylight(day: number, step: number): number {
  const halfDay = 24 - 8 * Math.cos(yearPhase(day)); // quarter-hours from sunrise to noon: 16 in winter, 32 in summer
  return Math.max(0, Math.cos(((step + 0.5 - STEPS_A_DAY / 2) / halfDay) * (Math.PI / 2)));
}

function importWeight(house: Household, day: number, step: number): number {
  const position = day * STEPS_A_DAY + step;
  const weekend = (((day - FIRST_DAY + 3) % 7) + 7) % 7 >= 5;
  const lived =
    house.morning.height * bump(step, house.morning.at + (weekend ? 7 : 0), 5) +
    house.evening.height * bump(step, house.evening.at, 9) +
    (weekend ? 0.9 : 0.4) * bump(step, 52, 14);
  const fluctuation = 0.55 + 0.9 * noise(house.noiseSeed, SALT.load, position);
  const appliance = noise(house.noiseSeed, SALT.appliance, position) > 0.965 && step > 24 ? 3 : 0;
  const own = house.exportWhADay > 0 ? 1 - 0.8 * daylight(day, step) : 1;
  return own * (house.baseload * 1.5 + (lived + appliance) * fluctuation);
}

const exportWeight = (house: Household, day: number, step: number): number =>
  daylight(day, step) ** 1.5 * (0.25 + 0.75 * noise(house.noiseSeed, SALT.cloud, day * STEPS_A_DAY + step));

type Weight = (house: Household, day: number, step: number) => number;

/** Register values at the 97 quarter-hours of a day, first and last included. */
function dayCurve(house: Household, day: number, weight: Weight, start: number, end: number): Float64Array {
  const curve = new Float64Array(STEPS_A_DAY + 1);
  let total = 0;
  for (let step = 0; step < STEPS_A_DAY; step++) {
    total += weight(house, day, step);
    curve[step + 1] = total;
  }
  for (let step = 1; step <= STEPS_A_DAY; step++)
    curve[step] = start + Math.round(((end - start) * curve[step]!) / total);
  curve[0] = start;
  curve[STEPS_A_DAY] = end;
  return curve;
}

interface Day {
  readonly day: number;
  readonly imported: Float64Array;
  readonly exported: Float64Array | undefined;
}

function dayOfHouse(house: Household, day: number): Day {
  return {
    day,
    imported: dayCurve(house, day, importWeight, importBefore(house, day), importBefore(house, day + 1)),
    exported:
      house.exportWhADay === 0
        ? undefined
        : dayCurve(house, day, exportWeight, exportBefore(house, day), exportBefore(house, day + 1)),
  };
}

/** The last quarter-hour at or before an instant. */
export const lastStep = (instant: number): number => Math.floor(instant / STEP_MS) * STEP_MS;

/** Days whose curves, and sums of weekends before them, are kept. */
const DAYS_KEPT = 4;
const WEEKENDS_KEPT = 64;
const NOTHING: Energy = { importWh: 0, exportWh: 0 };
const plus = (left: Energy, right: Energy): Energy => ({
  importWh: left.importWh + right.importWh,
  exportWh: left.exportWh + right.exportWh,
});
const minus = (left: Energy, right: Energy): Energy => ({
  importWh: left.importWh - right.importWh,
  exportWh: left.exportWh - right.exportWh,
});
const isWeekend = (day: number): boolean => (((day - FIRST_DAY + 3) % 7) + 7) % 7 >= 5;
const days = (house: Household, day: number): Energy => ({
  importWh: importBefore(house, day),
  exportWh: house.exportWhADay === 0 ? 0 : exportBefore(house, day),
});

/** Under which rate a quarter-hour counted that ended then, as meters leave their factory. */
export const factoryRate = (end: number): Rate => (isWeekend(dayOf(end - 1)) ? 1 : 2);

/**
 * What the total registers hold at quarter-hours, computed a day at a time and never stored: the truth, before any
 * encoding. The registers advance only there; between two quarter-hours they show the last one. While the switch is
 * open they stand still.
 */
export class LoadCurve {
  readonly #house: Household;
  readonly #openSpans: () => readonly OpenSpan[];
  readonly #controlled: ControlledLoad | undefined;
  /** What spans that are over cost: all of it, and at weekends. */
  readonly #shedBefore = new WeakMap<LoadControlSpan, { readonly all: number; readonly weekend: number }>();
  /** Used last, last first. */
  #days: readonly Day[] = [];
  /** Weekend energy before a day, without what an open switch cost; of days asked for lately. */
  readonly #weekends = new Map<number, Energy>();

  constructor(
    house: Household,
    openSpans: () => readonly OpenSpan[] = () => [],
    controlled: ControlledLoad | undefined = undefined,
  ) {
    this.#house = house;
    this.#controlled = controlled;
    this.#openSpans = openSpans;
  }

  /** Cumulative energy at the last quarter-hour at or before `instant` (clock milliseconds). */
  energyAt(instant: number): Energy {
    return minus(this.#delivered(instant), { importWh: this.#shed(instant).all, exportWh: 0 });
  }

  /** The same, had the controlled load never been told anything. */
  #delivered(instant: number): Energy {
    const energy = this.#uninterrupted(instant);
    return minus(
      energy,
      this.#notDelivered(instant, (from, to) => this.#between(from, to)),
    );
  }

  /** The part of it that was counted under a rate; both rates together are `energyAt`. */
  rateAt(rate: Rate, instant: number): Energy {
    const delivered = minus(
      this.#weekendAt(instant),
      this.#notDelivered(instant, (from, to) => minus(this.#weekendAt(to), this.#weekendAt(from))),
    );
    const weekend = minus(delivered, { importWh: this.#shed(instant).weekend, exportWh: 0 });
    return rate === 1 ? weekend : minus(this.energyAt(instant), weekend);
  }

  /** What the controlled load did not consume before the last quarter-hour, whole Wh a quarter-hour. */
  #shed(instant: number): { readonly all: number; readonly weekend: number } {
    let [all, weekend] = [0, 0];
    if (this.#controlled === undefined) return { all, weekend };
    const now = lastStep(instant);
    for (const span of this.#controlled.spans()) {
      if (span.from >= now) continue;
      const shed = this.#shedBefore.get(span) ?? this.#shedIn(span, now, this.#controlled.share);
      if (span.to !== undefined && span.to <= now) this.#shedBefore.set(span, shed);
      all += shed.all;
      weekend += shed.weekend;
    }
    return { all, weekend };
  }

  #shedIn(span: LoadControlSpan, now: number, share: number): { readonly all: number; readonly weekend: number } {
    const end = Math.min(span.to ?? now, now);
    let [all, weekend] = [0, 0];
    for (let step = lastStep(span.from); step < end; step += STEP_MS) {
      const wh = this.#delivered(step + STEP_MS).importWh - this.#delivered(step).importWh;
      const part = (Math.min(end, step + STEP_MS) - Math.max(span.from, step)) / STEP_MS;
      const kept =
        "level" in span
          ? share * wh * (1 - span.level / 100)
          : Math.min(share * wh, Math.max(0, wh - (span.watts * STEP_MS) / 3_600_000));
      const shed = Math.floor(kept * part);
      all += shed;
      if (isWeekend(dayOf(step))) weekend += shed;
    }
    return { all, weekend };
  }

  #uninterrupted(instant: number): Energy {
    const found = this.#dayOf(dayOf(instant));
    const step = Math.floor((instant - dayStart(found.day)) / STEP_MS);
    return { importWh: found.imported[step]!, exportWh: found.exported?.[step] ?? 0 };
  }

  #dayOf(day: number): Day {
    const last = this.#days[0];
    if (last?.day === day) return last;
    const found = this.#days.find((each) => each.day === day) ?? dayOfHouse(this.#house, day);
    this.#days = [found, ...this.#days.filter((each) => each !== found)].slice(0, DAYS_KEPT);
    return found;
  }

  #between(from: number, to: number): Energy {
    return minus(this.#uninterrupted(to), this.#uninterrupted(from));
  }

  /** What open spans before `instant` cost. */
  #notDelivered(instant: number, between: (from: number, to: number) => Energy): Energy {
    let sum = NOTHING;
    for (const span of this.#openSpans()) {
      if (span.from >= instant) break;
      if (span.to === undefined || span.to > instant) sum = plus(sum, between(span.from, instant));
      else sum = plus(sum, between(span.from, span.to));
    }
    return sum;
  }

  #weekendAt(instant: number): Energy {
    const day = dayOf(instant);
    const before = this.#weekendBefore(day);
    return isWeekend(day) ? plus(before, minus(this.#uninterrupted(instant), days(this.#house, day))) : before;
  }

  #weekendBefore(day: number): Energy {
    let from = FIRST_DAY;
    for (const known of this.#weekends.keys()) if (known <= day && known > from) from = known;
    // What stood on the register when the history began was counted under rate 1.
    let energy = this.#weekends.get(from) ?? days(this.#house, FIRST_DAY);
    for (; from < day; from++)
      if (isWeekend(from)) energy = plus(energy, minus(days(this.#house, from + 1), days(this.#house, from)));
    this.#weekends.set(day, energy);
    if (this.#weekends.size > WEEKENDS_KEPT) this.#weekends.delete(this.#weekends.keys().next().value!);
    return energy;
  }

  /**
   * The largest mean power of a quarter-hour that ended in (from, to], W, and its end; undefined when none did. `counts`:
   * of those alone.
   */
  maxDemand(
    from: number,
    to: number,
    counts: (end: number) => boolean = () => true,
  ): { readonly powerW: number; readonly end: number } | undefined {
    let max: { powerW: number; end: number } | undefined;
    let before = this.energyAt(lastStep(from)).importWh;
    for (let end = lastStep(from) + STEP_MS; end <= to; end += STEP_MS) {
      const { importWh } = this.energyAt(end);
      const powerW = (importWh - before) * (3_600_000 / STEP_MS);
      if (counts(end) && (max === undefined || powerW > max.powerW)) max = { powerW, end };
      before = importWh;
    }
    return max;
  }

  /** Line voltage, tenths of a volt, for the second of `instant`. */
  voltageAt(instant: number, phase: Phase = "l1"): number {
    const second = Math.floor(instant / 1000);
    return this.#house.voltage + Math.round(80 * (noise(this.#house.noiseSeed, VOLTAGE_SALT[phase], second) - 0.5));
  }

  /** Mean import of the quarter-hour that ended last, W. */
  powerAt(instant: number): number {
    const end = lastStep(instant);
    return (this.energyAt(end).importWh - this.energyAt(end - STEP_MS).importWh) * (3_600_000 / STEP_MS);
  }

  /** Hundredths of a hertz, the same for everybody. */
  frequencyAt(instant: number): number {
    return 5000 + Math.round(8 * (noise(0, SALT.frequency, Math.floor(instant / 1000)) - 0.5));
  }

  /** Reactive over active energy: 0.1 to 0.4. */
  get reactiveShare(): number {
    return 0.1 + (this.#house.noiseSeed % 1000) / 3333;
  }

  /** Whether the meter's clock was set in the quarter-hour that ends at `end`: about once in three weeks. */
  clockAdjustedBefore(end: number): boolean {
    return noise(this.#house.noiseSeed, SALT.adjusted, end / STEP_MS) < 1 / 2000;
  }
}
