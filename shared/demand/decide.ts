import { piecesOf } from "../jobs/concurrency.ts";
import type { MeterId } from "../metering/meter.ts";
import { type DrEvent, goesBefore, phaseAt, WAVE_METERS_MAX, type Wave } from "./dr-event.ts";

/** All that is known of an event that has begun. */
export interface EventView {
  readonly event: DrEvent;
  readonly roster: readonly MeterId[];
  readonly waves: readonly Wave[];
  /** Meters whose customers left this event or its program. */
  readonly optedOut: ReadonlySet<MeterId>;
}

/** What a meter was told last: a phase of an event, or nothing more. */
interface Told {
  readonly at: number;
  readonly eventId: string;
  readonly phase: number | undefined;
}

/** What each meter was told last, by the waves of all events. */
export function toldLast(views: readonly EventView[]): ReadonlyMap<MeterId, Told> {
  const found = new Map<MeterId, Told>();
  const waves = views
    .flatMap((view) => view.waves)
    .sort((left, right) => left.at - right.at || left.number - right.number);
  for (const { at, eventId, phase, meterIds } of waves)
    for (const meterId of meterIds) found.set(meterId, { at, eventId, phase });
  return found;
}

export type Plan = Pick<Wave, "eventId" | "phase" | "meterIds">;

/**
 * What is to be told now, in waves: of each meter, the strongest event that is on for it and that it has not left decides;
 * where that is what the meter was told last, nothing is. A meter that was told something which should not be any more is
 * released; one whose time is over has ended it by itself. Pure: the same again plans nothing once the waves are written.
 */
export function decide(views: readonly EventView[], now: number): readonly Plan[] {
  const told = toldLast(views);
  const byStrength = [...views].sort((left, right) => (goesBefore(left.event, right.event) ? -1 : 1));
  const eventOf = new Map(views.map(({ event }) => [event.eventId, event]));
  const wanted = new Map<MeterId, { readonly eventId: string; readonly phase: number }>();
  for (const { event, roster, optedOut } of byStrength) {
    if (event.state === "cancelled") continue;
    for (const meterId of roster) {
      if (wanted.has(meterId) || optedOut.has(meterId)) continue;
      const phase = phaseAt(event, meterId, now);
      if (phase !== undefined) wanted.set(meterId, { eventId: event.eventId, phase });
    }
  }
  const plans = new Map<string, { eventId: string; phase: number | undefined; meterIds: MeterId[] }>();
  const plan = (eventId: string, phase: number | undefined, meterId: MeterId): void => {
    const key = `${eventId} ${phase ?? "release"}`;
    const known = plans.get(key) ?? { eventId, phase, meterIds: [] };
    known.meterIds.push(meterId);
    plans.set(key, known);
  };
  for (const [meterId, { eventId, phase }] of wanted) {
    const last = told.get(meterId);
    if (last?.eventId !== eventId || last.phase !== phase) plan(eventId, phase, meterId);
  }
  for (const [meterId, { eventId, phase }] of told) {
    if (wanted.has(meterId) || phase === undefined) continue;
    const until = eventOf.get(eventId)?.phases[phase]?.to;
    if (until !== undefined && until > now) plan(eventId, undefined, meterId);
  }
  return [...plans.values()].flatMap(({ eventId, phase, meterIds }) =>
    [...piecesOf(meterIds.sort(), WAVE_METERS_MAX)].map((part) => ({
      eventId,
      ...(phase === undefined ? {} : { phase }),
      meterIds: [...part],
    })),
  );
}
