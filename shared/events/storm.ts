import { z } from "zod";
import type { EventName } from "../metering/event-catalogue.ts";
import { EventNameSchema } from "../metering/event-catalogue.ts";
import { MeterId } from "../metering/meter.ts";

/**
 * Like events (one name, one feeder) of a minute are told one by one up to so many; what comes beyond is kept together and
 * told as one when the minute is over.
 */
export const SINGLE_MAX = 20;
export const MINUTE_MS = 60_000;
/** Meters that the one message names. */
export const NAMED_MAX = 50;

/** What makes events alike. `minute`: its start, clock ms. */
export interface Likeness {
  readonly event: EventName;
  /** Absent: of meters that have none. */
  readonly feeder?: string | undefined;
  readonly minute: number;
}

/** Names a storm; fit for a path. */
export const stormIdOf = ({ event, feeder, minute }: Likeness): string =>
  `${minute / MINUTE_MS}~${event}~${feeder ?? ""}`;

/** What one notice adds to a storm of one subscription. */
export const StormPart = z.strictObject({
  subscriptionId: z.string(),
  event: EventNameSchema,
  feeder: z.string().optional(),
  minute: z.int(),
  noticeId: z.string(),
  events: z.array(z.strictObject({ id: z.string(), meterId: MeterId, at: z.int() })).min(1),
});
export type StormPart = z.infer<typeof StormPart>;

/** A storm, or what of it was not told before. */
export interface Storm {
  readonly subscriptionId: string;
  readonly stormId: string;
  readonly event: EventName;
  readonly feeder?: string | undefined;
  readonly count: number;
  readonly meterIds: readonly MeterId[];
  readonly firstAt: number;
  readonly lastAt: number;
}

export interface StormName {
  readonly subscriptionId: string;
  readonly stormId: string;
  readonly minute: number;
  /** As it was read: what is kept later raises it. */
  readonly version: number;
}

/** Storms as stored. Keys live in `functions/adapters/dynamo-storms.ts`. */
export interface Storms {
  /**
   * Whether `count` more like events may be told one by one; the same notice always gets the same answer. Where they may not,
   * they belong to the storm.
   */
  admit(likeness: Likeness, noticeId: string, count: number): Promise<boolean>;
  /** The same part again is the same. */
  keep(part: StormPart): Promise<void>;
  /** Storms with something untold whose minute began before. */
  untold(before: number): Promise<readonly StormName[]>;
  /** Parts after the notice, by notice. */
  parts(
    name: Pick<StormName, "subscriptionId" | "stormId">,
    after: string,
    limit: number,
  ): Promise<readonly (StormPart & { readonly told: boolean })[]>;
  markTold(name: Pick<StormName, "subscriptionId" | "stormId">, noticeIds: readonly string[]): Promise<void>;
  /** All of it is told: unless more was kept since the name was read. */
  dropName(name: StormName): Promise<void>;
}

/** All that was not told of a storm as one; undefined: there is nothing. */
export function stormOf(parts: readonly StormPart[]): Storm | undefined {
  const [first] = parts;
  if (first === undefined) return undefined;
  const events = parts.flatMap((part) => part.events);
  const instants = events.map(({ at }) => at);
  const meterIds = [...new Set(events.map(({ meterId }) => meterId))].slice(0, NAMED_MAX);
  return {
    subscriptionId: first.subscriptionId,
    stormId: stormIdOf(first),
    event: first.event,
    feeder: first.feeder,
    count: events.length,
    meterIds,
    firstAt: instants.reduce((least, at) => Math.min(least, at)),
    lastAt: instants.reduce((most, at) => Math.max(most, at)),
  };
}
