import { z } from "zod";
import { EVENTS, type EventName, EventNameSchema } from "../metering/event-catalogue.ts";
import { MeterId } from "../metering/meter.ts";

/** Which events a subscriber is told of. What is absent excludes nothing; what is named has to fit, each of it. */
export const EventFilter = z.strictObject({
  /** Names of the catalogue. */
  events: z.array(EventNameSchema).min(1).max(100).optional(),
  severities: z
    .array(z.enum(["info", "warning", "alarm"]))
    .min(1)
    .optional(),
  groups: z.array(z.string().min(1).max(64)).min(1).max(50).optional(),
  feeders: z.array(z.string().min(1).max(64)).min(1).max(50).optional(),
});
export type EventFilter = z.infer<typeof EventFilter>;

/** Where a meter belongs, as far as filters ask. */
export interface Membership {
  readonly groups: readonly string[];
  readonly feeder?: string | undefined;
}

/** One event as subscribers are told of it. */
export const ToldEvent = z.strictObject({
  /** The same for the same event of the same meter, however often it is read or delivered. */
  id: z.string().min(1).max(120),
  meterId: MeterId,
  event: EventNameSchema,
  /** When the meter says that it happened, and when it came to us; clock ms. */
  at: z.int(),
  receivedAt: z.int(),
  log: z.string(),
  /** As the meter has it. */
  code: z.string(),
  sequence: z.int().optional(),
  argument: z.string().optional(),
});
export type ToldEvent = z.infer<typeof ToldEvent>;

const hasOne = (wanted: readonly string[] | undefined, of: readonly string[]): boolean =>
  wanted === undefined || wanted.some((one) => of.includes(one));

/** Whether the filter needs to know where meters belong. */
export const asksForPlaces = ({ groups, feeders }: EventFilter): boolean =>
  groups !== undefined || feeders !== undefined;

/** `membership`: undefined, of a meter that is enrolled no more: it belongs nowhere. */
export function wants(
  { events, severities, groups, feeders }: EventFilter,
  event: EventName,
  membership: Membership | undefined,
): boolean {
  return (
    (events === undefined || events.includes(event)) &&
    hasOne(severities, [EVENTS[event].severity]) &&
    hasOne(groups, membership?.groups ?? []) &&
    hasOne(feeders, membership?.feeder === undefined ? [] : [membership.feeder])
  );
}
