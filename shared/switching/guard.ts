import { z } from "zod";
import type { SwitchTarget } from "./authority.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/**
 * A reservation stands for a switch that moves so soon after it, ms: who asks again within it writes nothing. Windows are
 * longer by as much, so that no minute and no hour sees more moves than its cap.
 */
export const FRESH_MS = 5_000;
/** An hour's reservations lie in one item, 18 octets each. */
const CAP_MAX = 20_000;
const Kilowatts = z.int().min(0).max(10_000_000);

/** How many switches may be operated in any minute and in any hour, and how much load with them. Absent: any load. */
export const Caps = z.strictObject({
  perMinute: z.int().min(0).max(CAP_MAX),
  perHour: z.int().min(0).max(CAP_MAX),
  kwPerMinute: Kilowatts.optional(),
  kwPerHour: Kilowatts.optional(),
});
export type Caps = z.infer<typeof Caps>;

/** Caps of one direction: of the whole deployment, of each feeder and transformer, of each caller. */
export const DirectionCaps = z.strictObject({ all: Caps, feeder: Caps, transformer: Caps, client: Caps });
export type DirectionCaps = z.infer<typeof DirectionCaps>;

export const GuardSettings = z.strictObject({
  opening: DirectionCaps,
  /** Closing and arming. */
  closing: DirectionCaps,
  /** What a meter of which no load is known counts as, W. */
  assumedWatts: z.int().min(0).max(10_000_000).optional(),
  /** A job about more meters than these needs a second person, or a third one besides. */
  approveAbove: z.int().min(0).max(CAP_MAX),
  approveTwiceAbove: z.int().min(0).max(CAP_MAX),
});
export type GuardSettings = z.infer<typeof GuardSettings>;

const caps = (perMinute: number, perHour: number): Caps => ({ perMinute, perHour });
/** Until a supervisor sets others: a utility's ordinary day of collections fits in, a mistake does not. */
export const DEFAULT_GUARDS: GuardSettings = {
  opening: { all: caps(60, 600), feeder: caps(20, 100), transformer: caps(10, 20), client: caps(60, 300) },
  closing: { all: caps(300, 6_000), feeder: caps(60, 600), transformer: caps(20, 60), client: caps(300, 6_000) },
  assumedWatts: 2_000,
  approveAbove: 10,
  approveTwiceAbove: 500,
};

/** The room of one task, by which a redelivery finds its own. `task`: 16 hex digits. */
export interface Reservation {
  readonly task: string;
  /** Clock ms. */
  readonly at: number;
  /** Load behind the switch. */
  readonly watts: number;
}

/** What a task asks guards for. */
export interface GuardAsk {
  readonly to: SwitchTarget;
  readonly feeder?: string | undefined;
  readonly transformer?: string | undefined;
  /** Id of who asked; undefined: the cap of each caller does not count, since others have approved. */
  readonly client?: string | undefined;
  /** Load behind the switch, where it is known. */
  readonly watts?: number | undefined;
}

/** What an order counts as in caps on load. */
export const wattsOf = ({ assumedWatts = 0 }: GuardSettings, { watts }: GuardAsk): number => watts ?? assumedWatts;

/** One guard: its item's name and what it allows. */
export interface Guard {
  readonly name: string;
  readonly caps: Caps;
}

/** The guards that a task asks, always in this order. */
export function guardsFor(settings: GuardSettings, { to, feeder, transformer, client }: GuardAsk): readonly Guard[] {
  const direction = to === "open" ? "opening" : "closing";
  const limits = settings[direction];
  return [
    { name: direction, caps: limits.all },
    ...(feeder === undefined ? [] : [{ name: `${direction}/feeder/${feeder}`, caps: limits.feeder }]),
    ...(transformer === undefined
      ? []
      : [{ name: `${direction}/transformer/${transformer}`, caps: limits.transformer }]),
    ...(client === undefined ? [] : [{ name: `${direction}/client/${client}`, caps: limits.client }]),
  ];
}

/** `full`: and from when on there may be room, clock ms. */
export type Reserved =
  | { readonly kind: "reserved"; readonly reservations: readonly Reservation[] }
  | { readonly kind: "full"; readonly until: number };

/**
 * Room for a task in any window that ends now or later. Whoever has some that is no longer fresh asks anew: what counts is
 * when the switch moves, and that is later now. A load above the whole cap finds room when nobody else has any.
 */
export function reserve(
  reservations: readonly Reservation[],
  { caps }: Guard,
  { task, watts }: Omit<Reservation, "at">,
  now: number,
): Reserved {
  const own = reservations.find((one) => one.task === task);
  if (own !== undefined && own.at > now - FRESH_MS && own.watts >= watts) return { kind: "reserved", reservations };
  const others = reservations
    .filter((one) => one.task !== task && one.at > now - HOUR_MS - FRESH_MS)
    .sort((left, right) => left.at - right.at);
  const { perMinute, perHour, kwPerMinute, kwPerHour } = caps;
  const until = Math.max(
    fits(others, perMinute, () => 1, 1, MINUTE_MS, now),
    fits(others, perHour, () => 1, 1, HOUR_MS, now),
    ...(kwPerMinute === undefined ? [] : [fits(others, kwPerMinute * 1000, (one) => one.watts, watts, MINUTE_MS, now)]),
    ...(kwPerHour === undefined ? [] : [fits(others, kwPerHour * 1000, (one) => one.watts, watts, HOUR_MS, now)]),
  );
  if (until > now) return { kind: "full", until };
  return { kind: "reserved", reservations: [...others, { task, at: now, watts }] };
}

/** From when on `own` fits under `most` beside what others have in a window of `ms`; `others` oldest first. */
function fits(
  others: readonly Reservation[],
  most: number,
  measure: (one: Reservation) => number,
  own: number,
  ms: number,
  now: number,
): number {
  const within = others.filter(({ at }) => at > now - ms - FRESH_MS);
  let sum = within.reduce((total, one) => total + measure(one), own);
  let until = now;
  for (const one of within) {
    if (sum <= most) return until;
    sum -= measure(one);
    until = one.at + ms + FRESH_MS;
  }
  if (sum <= most) return until;
  // What is forbidden altogether stays so; what is larger than its cap goes alone.
  return most === 0 ? now + HOUR_MS : until;
}
