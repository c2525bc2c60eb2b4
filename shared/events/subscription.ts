import { z } from "zod";
import { Caller } from "../jobs/job.ts";
import { EventNameSchema } from "../metering/event-catalogue.ts";
import { isConfined } from "../security/ownership.ts";
import { codeOf, severityOf, TOLD_KINDS, type ToldEvent } from "./told-event.ts";

const Names = z.array(z.string().min(1).max(64)).min(1).max(50);

/** Which events a subscriber is told of. What is absent excludes nothing; what is named has to fit, each of it. */
export const EventFilter = z.strictObject({
  kinds: z.array(z.enum(TOLD_KINDS)).min(1).optional(),
  /** Names of the catalogue: of events of meters. */
  events: z.array(EventNameSchema).min(1).max(100).optional(),
  /** EndDeviceEventTypes (IEC 61968-9): of meters and of outages. */
  codes: z
    .array(z.string().regex(/^\d{1,3}(\.\d{1,3}){3}$/, "expected an EndDeviceEventType as 3.26.0.47"))
    .min(1)
    .max(100)
    .optional(),
  severities: z
    .array(z.enum(["info", "warning", "alarm"]))
    .min(1)
    .optional(),
  meters: Names.optional(),
  groups: Names.optional(),
  feeders: Names.optional(),
  segments: z.array(z.int().min(0)).min(1).max(50).optional(),
});
export type EventFilter = z.infer<typeof EventFilter>;

/** Where a meter belongs, as far as filters and storms ask. */
export interface Membership {
  readonly segment: number;
  readonly groups: readonly string[];
  readonly feeder?: string | undefined;
}

/** Who is told of what, and where. Instants are clock ms. */
export const Subscription = z.strictObject({
  subscriptionId: z.string().min(1).max(64),
  description: z.string().max(200).optional(),
  url: z.string().max(2000),
  filter: EventFilter,
  owner: Caller,
  state: z.enum(["active", "paused"]),
  /** Those that sign, newest first; `until`: of one that was replaced, when it stops. */
  secrets: z
    .array(z.strictObject({ version: z.int(), until: z.int().optional() }))
    .min(1)
    .max(8),
  createdAt: z.int(),
  modifiedAt: z.int(),
  version: z.int().min(1),
});
export type Subscription = z.infer<typeof Subscription>;

/** So many there can be: each event is held against all of them. */
export const SUBSCRIPTIONS_MAX = 200;

const hasOne = <T>(wanted: readonly T[] | undefined, of: readonly T[]): boolean =>
  wanted === undefined || wanted.some((one) => of.includes(one));

const metersOf = (event: ToldEvent): readonly string[] =>
  event.kind === "device" ? [event.meterId] : event.kind === "outage" ? event.meterIds : [];
const listOf = <T>(one: T | undefined): readonly T[] => (one === undefined ? [] : [one]);

/** Whether the filter needs to know where meters belong. */
export const asksForPlaces = ({ groups, feeders, segments }: EventFilter): boolean =>
  groups !== undefined || feeders !== undefined || segments !== undefined;

/** What can be told without knowing where the event's meter belongs: false is final. */
export const mayWant = (
  { kinds, events, codes, severities, meters, groups, feeders, segments }: EventFilter,
  event: ToldEvent,
): boolean =>
  hasOne(kinds, [event.kind]) &&
  hasOne(events, event.kind === "device" ? [event.event] : []) &&
  hasOne(codes, listOf(codeOf(event))) &&
  hasOne(severities, [severityOf(event)]) &&
  hasOne(meters, metersOf(event)) &&
  (event.kind === "device" ||
    (groups === undefined && segments === undefined && hasOne(feeders, event.kind === "outage" ? [event.feeder] : [])));

/** `membership`: of the event's meter; undefined: it is enrolled no more, or it is no event of a meter. */
export const wants = (filter: EventFilter, event: ToldEvent, membership: Membership | undefined): boolean =>
  mayWant(filter, event) &&
  (event.kind !== "device" ||
    (hasOne(filter.groups, membership?.groups ?? []) &&
      hasOne(filter.feeders, listOf(membership?.feeder)) &&
      hasOne(filter.segments, listOf(membership?.segment))));

/** Whether its owner may know of it: another system is told what it may also ask for, outages and its own jobs. */
export const mayBeTold = ({ owner }: Pick<Subscription, "owner">, event: ToldEvent): boolean =>
  !isConfined(owner) || event.kind === "outage" || (event.kind === "job" && event.callerId === owner.id);
