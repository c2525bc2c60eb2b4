import type { Energy, LoadCurve, Rate } from "./load-model.ts";
import { STEP_MS } from "./load-model.ts";

/** Which of the tiers 1 to 8 a calendar says for an instant of the meter's clock. */
export type TierRule = (instant: number) => number;

const TIERS = 8;
/** Quarter-hours from one kept sum to the next. */
const STRIDE = 96;

/** Energy of each tier since the calendar became active. */
interface Sums {
  readonly importWh: readonly number[];
  readonly exportWh: readonly number[];
}
const NOTHING: Sums = { importWh: Array(TIERS + 1).fill(0), exportWh: Array(TIERS + 1).fill(0) };
const ZERO: Energy = { importWh: 0, exportWh: 0 };

/** A calendar that counted from an instant on, until the next one did. */
class Reign {
  readonly from: number;
  readonly #rule: TierRule;
  readonly #load: LoadCurve;
  readonly #kept: Sums[] = [NOTHING];

  constructor(from: number, rule: TierRule, load: LoadCurve) {
    this.from = from;
    this.#rule = rule;
    this.#load = load;
  }

  tierAt(instant: number): number {
    return this.#rule(instant);
  }

  /** What was counted under a tier up to the last quarter-hour before an instant. */
  energyAt(tier: number, instant: number): Energy {
    const steps = Math.max(0, Math.floor((instant - this.from) / STEP_MS));
    while (this.#kept.length * STRIDE <= steps) {
      const at = this.#kept.length - 1;
      this.#kept.push(this.#walked(this.#kept[at] ?? NOTHING, at * STRIDE, (at + 1) * STRIDE));
    }
    const at = Math.floor(steps / STRIDE);
    const { importWh, exportWh } = this.#walked(this.#kept[at] ?? NOTHING, at * STRIDE, steps);
    return { importWh: importWh[tier] ?? 0, exportWh: exportWh[tier] ?? 0 };
  }

  #walked(sums: Sums, first: number, end: number): Sums {
    const [importWh, exportWh] = [[...sums.importWh], [...sums.exportWh]];
    for (let step = first; step < end; step++) {
      const start = this.from + step * STEP_MS;
      const tier = this.#rule(start);
      const [before, after] = [this.#load.energyAt(start), this.#load.energyAt(start + STEP_MS)];
      importWh[tier] = (importWh[tier] ?? 0) + after.importWh - before.importWh;
      exportWh[tier] = (exportWh[tier] ?? 0) + after.exportWh - before.exportWh;
    }
    return { importWh, exportWh };
  }
}

/**
 * Tariff registers by the calendars that counted one after the other: as the meter left its factory, rate 1 at weekends and
 * rate 2 else, then what was programmed. They advance by quarter-hours as the load does.
 */
export class TariffMemory {
  readonly #load: LoadCurve;
  #reigns: readonly Reign[] = [];

  constructor(load: LoadCurve) {
    this.#load = load;
  }

  /** From the last quarter-hour before `at` on, by the meter's clock, `rule` says which tier counts. */
  activate(at: number, rule: TierRule): void {
    const from = Math.floor(at / STEP_MS) * STEP_MS;
    this.#reigns = [...this.#reigns.filter((reign) => reign.from < from), new Reign(from, rule, this.#load)];
  }

  /** All rates together are the load's energy. */
  energyAt(rate: number, instant: number): Energy {
    const [first] = this.#reigns;
    const factory = (at: number): Energy => (rate <= 2 ? this.#load.rateAt(rate as Rate, at) : ZERO);
    if (first === undefined || instant <= first.from) return factory(instant);
    let sum = factory(first.from);
    for (const [at, reign] of this.#reigns.entries()) {
      if (instant <= reign.from) break;
      const until = Math.min(instant, this.#reigns[at + 1]?.from ?? instant);
      const counted = reign.energyAt(rate, until);
      sum = { importWh: sum.importWh + counted.importWh, exportWh: sum.exportWh + counted.exportWh };
    }
    return sum;
  }

  /** Of the quarter-hour that ends at an instant; undefined: the factory's rates counted. */
  tierBefore(end: number): number | undefined {
    return this.#reigns.findLast((reign) => reign.from < end)?.tierAt(end - STEP_MS);
  }
}
