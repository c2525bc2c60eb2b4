import { z } from "zod";
import { EVENTS, type EventName, EventNameSchema } from "../metering/event-catalogue.ts";
import { MeterId } from "../metering/meter.ts";

const HOUR_MS = 3_600_000;

/** An event of the severity `alarm` at one meter. Kept once an hour for each meter and event, however often it comes. */
export const Alarm = z.strictObject({
  meterId: MeterId,
  event: EventNameSchema,
  /** When the meter says that it happened, and when it came to us; clock ms. */
  at: z.int(),
  receivedAt: z.int(),
});
export type Alarm = z.infer<typeof Alarm>;

/** Alarms as stored. */
export interface Alarms {
  /**
   * What is there for the meter, the event and the hour stays as it is. Answers those that are kept: raised for the first
   * time, or by an earlier try with the same instants.
   */
  raise(alarms: readonly Alarm[]): Promise<readonly Alarm[]>;
  /** Those with from < receivedAt <= to, in no order. */
  within(from: number, to: number): AsyncIterable<Alarm>;
}

/** Whether these are one alarm, raised once or again. */
export const isSameAlarm = (one: Alarm, other: Alarm): boolean =>
  one.at === other.at && one.receivedAt === other.receivedAt;

export const hourOf = (instant: number): number => Math.floor(instant / HOUR_MS) * HOUR_MS;

/** A log that is read after weeks tells of what is long over: what is older than this when it comes is no alarm. */
export const ALARM_AGE_MAX_MS = 24 * HOUR_MS;

export const isAlarm = (event: EventName, at: number, receivedAt: number): boolean =>
  EVENTS[event].severity === "alarm" && receivedAt - at <= ALARM_AGE_MAX_MS;

/** All alarms of one event within one hour: a storm is one line. */
export interface AlarmGroup {
  readonly event: EventName;
  /** Start of the hour in which they came, clock ms. */
  readonly hour: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly meters: number;
  /** Some of them, by id. */
  readonly meterIds: readonly MeterId[];
}

const NAMED_MAX = 50;

/** Newest hour first, then by event. The result does not depend on the order of the alarms. */
export async function groupsOf(alarms: AsyncIterable<Alarm>): Promise<AlarmGroup[]> {
  const groups = new Map<
    string,
    { event: EventName; hour: number; firstAt: number; lastAt: number; ids: Set<MeterId> }
  >();
  for await (const { event, meterId, at, receivedAt } of alarms) {
    const hour = hourOf(receivedAt);
    const key = `${hour}#${event}`;
    const group = groups.get(key) ?? { event, hour, firstAt: at, lastAt: at, ids: new Set<MeterId>() };
    group.firstAt = Math.min(group.firstAt, at);
    group.lastAt = Math.max(group.lastAt, at);
    group.ids.add(meterId);
    groups.set(key, group);
  }
  return [...groups.values()]
    .sort((left, right) => right.hour - left.hour || (left.event < right.event ? -1 : 1))
    .map(({ ids, ...group }) => ({ ...group, meters: ids.size, meterIds: [...ids].sort().slice(0, NAMED_MAX) }));
}
