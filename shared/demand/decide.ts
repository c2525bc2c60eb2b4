import { piecesOf } from "../jobs/concurrency.ts";
import type { LoadControl } from "../metering/load-control.ts";
import type { MeterId } from "../metering/meter.ts";
import { type DrEvent, goesBefore, orderOf, phaseAt, WAVE_METERS_MAX, type Wave } from "./dr-event.ts";

/** All that is known of an event that has begun. */
export interface EventView {
  readonly event: DrEvent;
  readonly roster: readonly MeterId[];
  readonly waves: readonly Wave[];
  /** Meters whose customers left this event or its program. */
  readonly optedOut: ReadonlySet<MeterId>;
}

/** What a meter was told last. */
interface Told {
  readonly at: number;
  readonly eventId: string;
  readonly order: LoadControl;
}

/** What each meter was told last, by the waves of all events. */
export function toldLast(views: readonly EventView[]): ReadonlyMap<MeterId, Told> {
  const found = new Map<MeterId, Told>();
  const waves = views
    .flatMap((view) => view.waves)
    .sort((left, right) => left.at - right.at || left.number - right.number);
  for (const { at, eventId, order, meterIds } of waves)
    for (const meterId of meterIds) found.set(meterId, { at, eventId, order });
  return found;
}

export type Plan = Pick<Wave, "eventId" | "order" | "meterIds">;

/**
 * What is to be told now, in waves: of each meter, the strongest event that is on for it and that it has not left decides;
 * where that is what the meter was told last, nothing is. A meter that was told something which should not be any more is
 * released; one whose time is over has ended it by itself. Pure: the same again plans nothing once the waves are written.
 */
export function decide(views: readonly EventView[], now: number): readonly Plan[] {
  const told = toldLast(views);
  const byStrength = [...views].sort((left, right) => (goesBefore(left.event, right.event) ? -1 : 1));
  const wanted = new Map<MeterId, { readonly eventId: string; readonly order: LoadControl }>();
  for (const { event, roster, optedOut } of byStrength) {
    if (event.state === "cancelled") continue;
    for (const meterId of roster) {
      if (wanted.has(meterId) || optedOut.has(meterId)) continue;
      const phase = event.phases[phaseAt(event, meterId, now) ?? -1];
      if (phase !== undefined) wanted.set(meterId, { eventId: event.eventId, order: orderOf(phase) });
    }
  }
  const plans = new Map<string, { eventId: string; order: LoadControl; meterIds: MeterId[] }>();
  const plan = (eventId: string, order: LoadControl, meterId: MeterId): void => {
    const key = `${eventId} ${textOf(order)}`;
    const known = plans.get(key) ?? { eventId, order, meterIds: [] };
    known.meterIds.push(meterId);
    plans.set(key, known);
  };
  for (const [meterId, { eventId, order }] of wanted) {
    const last = told.get(meterId);
    if (last?.eventId !== eventId || textOf(last.order) !== textOf(order)) plan(eventId, order, meterId);
  }
  for (const [meterId, { eventId, order }] of told)
    if (!wanted.has(meterId) && order.mode !== "release" && order.until > now)
      plan(eventId, { mode: "release" }, meterId);
  return [...plans.values()].flatMap(({ eventId, order, meterIds }) =>
    [...piecesOf(meterIds.sort(), WAVE_METERS_MAX)].map((part) => ({
      eventId,
      order,
      meterIds: [...part],
    })),
  );
}

/** Comparable: stored and made orders may give their fields another order. */
const textOf = (order: LoadControl): string => JSON.stringify(Object.entries(order).sort());
