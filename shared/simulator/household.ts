import { below, chance, fraction, seeded } from "../ports/random.ts";

/** What makes one household's consumption its own. Energies in Wh a day, times as quarter-hours of the local day. */
export interface Household {
  /** Seed of this household's noise. */
  readonly noiseSeed: number;
  readonly importWhADay: number;
  /** Winter over summer, 0..0.3 of the mean. */
  readonly seasonality: number;
  /** Share of the day's energy that is always on, 0..1. */
  readonly baseload: number;
  readonly morning: { readonly at: number; readonly height: number };
  readonly evening: { readonly at: number; readonly height: number };
  /** Photovoltaic export, Wh a day as the mean of a year; 0: no panels. */
  readonly exportWhADay: number;
  /** What the registers showed when the household's history begins, Wh. */
  readonly importStartWh: number;
  readonly exportStartWh: number;
  /** Mean line voltage, tenths of a volt. */
  readonly voltage: number;
}

export type ControllableLoad = "air-conditioning" | "water-heater" | "vehicle";
const LOADS: readonly ControllableLoad[] = ["air-conditioning", "water-heater", "vehicle"];

/** The load behind a control point of a house that has one, and its share of the house's import. */
export const controllableLoad = ({
  noiseSeed,
}: Household): { readonly kind: ControllableLoad; readonly share: number } => ({
  kind: LOADS[noiseSeed % LOADS.length] ?? "water-heater",
  share: 0.25 + ((noiseSeed >>> 8) % 1000) / 5000, // to 0.45
});

const PANELS_SHARE = 0.22;

/** The household behind meter `index` of a town; pure. */
export function household(seed: number, index: number): Household {
  const random = seeded(`household ${seed} ${index}`);
  const between = (low: number, high: number): number => low + (high - low) * fraction(random);
  const importWhADay = Math.round(3_500 + 14_000 * fraction(random) ** 2); // many small flats, few large houses
  const hasPanels = chance(random, PANELS_SHARE);
  return {
    noiseSeed: random.uint32(),
    importWhADay,
    seasonality: between(0.05, 0.28),
    baseload: between(0.25, 0.45),
    morning: { at: between(25, 33), height: between(0.6, 1.6) },
    evening: { at: between(70, 84), height: between(1.4, 3) },
    exportWhADay: hasPanels ? Math.round(between(6_000, 16_000)) : 0,
    importStartWh: below(random, 4_000_000),
    exportStartWh: hasPanels ? below(random, 900_000) : 0,
    voltage: Math.round(between(2_270, 2_340)),
  };
}
