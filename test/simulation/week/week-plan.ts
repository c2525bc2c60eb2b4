import { plannedSets } from "../../../shared/metering/channel-plan.ts";
import type { Measurement } from "../../../shared/metering/measurement.ts";
import { MeterId } from "../../../shared/metering/meter.ts";
import type { DeviceProfile } from "../../../shared/metering/profile.ts";
import { PROFILES } from "../../../shared/metering/profiles/catalogue.ts";
import { below, seeded } from "../../../shared/ports/random.ts";
import type { FieldMeter } from "./field-meter.ts";
import { NeutralMeter, type NeutralSet } from "./neutral-meter.ts";
import { ProtocolMeter } from "./protocol-meter.ts";

const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

export interface WeekOptions {
  readonly seed: number;
  readonly meters: number;
  readonly days: number;
  /** Share of the meters that speak their protocol. */
  readonly protocols: number;
  /** Of the meters, gas and water modules that sleep: they speak theirs too. */
  readonly sleepers: number;
}

/** Meters of one segment. */
export const SEGMENT_METERS = 100;
/** In summer time, and ends in winter time: the last Sunday of October is the fourth day of a week, the second of two. */
export const weekStart = (days: number): number => Date.UTC(2026, 9, 25) - (days > 2 ? 3 : 1) * DAY_MS;

export interface Dark {
  readonly collector: string;
  readonly from: number;
  readonly to: number;
}

/** What happens to the population besides lost sessions. */
export interface WeekPlan extends WeekOptions {
  readonly start: number;
  readonly end: number;
  readonly dark: readonly Dark[];
  /** Devices that are replaced; when, and when the headend is told. */
  readonly exchanges: readonly { readonly meter: number; readonly at: number; readonly knownAt: number }[];
  /** The meter whose clock is behind by an hour, and when somebody has it set. */
  readonly wrongClock: { readonly meter: number; readonly setAt: number };
}

export function weekPlan(options: WeekOptions): WeekPlan {
  const { days, meters, protocols } = options;
  const start = weekStart(days);
  const last = (days - 1) * DAY_MS;
  const spoken = Math.round(meters * protocols);
  return {
    ...options,
    start,
    end: start + days * DAY_MS,
    dark: [
      { collector: "collector-1", from: start + 5 * HOUR_MS, to: start + DAY_MS + 5 * HOUR_MS },
      { collector: "collector-2", from: start + last - 3 * HOUR_MS, to: start + last + 21 * HOUR_MS },
    ],
    // One of a meter that speaks its protocol: there the new device proves itself under its own keys.
    exchanges: [1, spoken + 5, spoken + 11].map((meter, index) => ({
      meter,
      at: start + Math.floor(((index + 1) * days * DAY_MS) / 4) + 1_234_000,
      knownAt: start + Math.floor(((index + 1) * days * DAY_MS) / 4) + 10 * HOUR_MS,
    })),
    wrongClock: { meter: 0, setAt: start + Math.floor((days * DAY_MS) / 2) },
  };
}

/** Device profiles of meters that speak their protocol. `-mbus`: with a gas and a water meter on its M-Bus. */
export const SPOKEN = [
  "generic-eu",
  "generic-eu",
  "generic-us",
  "idis-p2-mbus",
  "generic-us",
  "dsmr5",
  "commercial-us",
  "is15959-d1",
  "g3-plc",
  "generic-eu-general",
  "generic-us-authenticated",
  "dsmr5-mbus",
] as const;

const ELECTRIC: readonly Measurement[] = ["energy.active.import.total", "energy.active.export.total"];
const set = (name: string, period: number, depth: number, measurements: readonly Measurement[]): NeutralSet => ({
  set: name,
  period,
  depth,
  channels: measurements.map((measurement) => ({ measurement, scaler: 0 })),
});
interface Model {
  readonly profile: string;
  readonly sets: readonly NeutralSet[];
}
/** Neutral meters: their device profile, and what they capture. The third keeps little more than a day. */
const NEUTRAL: readonly Model[] = [
  { profile: "generic-eu", sets: [set("load", 900, 2880, ELECTRIC)] },
  { profile: "generic-us", sets: [set("load", 900, 2880, ELECTRIC), set("voltage", 3600, 720, ["voltage.l1.line"])] },
  { profile: "generic-eu", sets: [set("load", 900, 104, ELECTRIC)] },
  { profile: "g3-plc", sets: [set("curve", 1800, 3360, ELECTRIC.slice(0, 1))] },
  { profile: "gas-module-us", sets: [set("volume", 3600, 720, ["volume.gas"])] },
  { profile: "water-module-us", sets: [set("volume", 3600, 720, ["volume.water"])] },
  { profile: "generic-eu", sets: [set("load", 300, 4320, ELECTRIC)] },
];
/** Of so many one is behind a collector. */
const COLLECTED_EVERY = 8;

const profileOf = (name: string): DeviceProfile => {
  const found = PROFILES.get(name);
  if (found === undefined) throw new Error(`the catalogue has ${name}`);
  return found;
};

/** The device of a place. `number`: its slot, counted over the segments; `stands`: the number whose place it takes. */
export function deviceAt(plan: WeekPlan, number: number, stands: number, from: number, now: () => number): FieldMeter {
  const isNew = stands !== number;
  const segment = Math.floor(number / SEGMENT_METERS);
  const place = { segment, slot: number % SEGMENT_METERS };
  const meterId = MeterId.parse(`W-${String(stands).padStart(4, "0")}${isNew ? "-new" : ""}`);
  const spoken = Math.round(plan.meters * plan.protocols);
  const collector =
    stands >= spoken && stands % COLLECTED_EVERY < 2 ? `collector-${(stands % COLLECTED_EVERY) + 1}` : undefined;
  const common = { meterId, place, port: 1 + stands, collector, from, now };
  if (stands < spoken) {
    const profile = profileOf(SPOKEN[stands % SPOKEN.length] ?? "generic-eu");
    const isBehind = stands === plan.wrongClock.meter;
    return new ProtocolMeter({
      ...common,
      profile,
      seed: plan.seed,
      index: number,
      clockOffsetMs: isBehind ? -HOUR_MS : below(seeded(`drift ${plan.seed} ${number}`), 8_001) - 4_000,
      plan: [{ from, sets: plannedSets(profile) }],
    });
  }
  if (stands >= plan.meters - plan.sleepers)
    return new ProtocolMeter({
      ...common,
      profile: profileOf(stands % 2 === 0 ? "gas-module-us" : "water-module-us"),
      seed: plan.seed,
      index: number,
      clockOffsetMs: 0,
      collector: undefined,
      thing: `thing-${stands}`,
      plan: [{ from, sets: plannedSets(profileOf("gas-module-us")) }],
    });
  const { profile, sets } = NEUTRAL[stands % NEUTRAL.length] ?? { profile: "generic-eu", sets: [] };
  const random = seeded(`outage ${plan.seed} ${number}`);
  const outageFrom = plan.start + below(random, plan.days * 24) * HOUR_MS + 600_000;
  return new NeutralMeter({
    ...common,
    profile: profileOf(profile),
    title: (number + 1).toString(16).padStart(16, "0"),
    sets,
    outage: number % 9 === 0 ? { from: outageFrom, to: outageFrom + 5_400_000 } : undefined,
    plan: [{ from, sets: sets.map(({ set: name, period, depth }) => ({ set: name, period, depth })) }],
  });
}

/** Whose intervals are wanted within hours. */
export const isWatched = (number: number): boolean => number % NEUTRAL.length === 6;
