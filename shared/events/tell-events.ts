import { z } from "zod";
import type { Crypto } from "../ports/crypto.ts";
import { toHex } from "../ports/octets.ts";
import { type EventFilter, mayBeTold, mayWant, type Subscription } from "./subscription.ts";
import type { Timeline, TimelineItem } from "./timeline.ts";
import { ToldEvent, type ToldKind } from "./told-event.ts";

/** Events of one queue message. `sentAt`: clock ms. */
export const Notice = z.strictObject({
  /** The same for the same events. */
  id: z.string(),
  sentAt: z.int(),
  events: z.array(ToldEvent).min(1),
});
export type Notice = z.infer<typeof Notice>;

/** So many events, and so many octets, has a message at the most; a queue takes 256 kB. */
const EVENTS_MAX = 500;
const OCTETS_MAX = 200_000;

/** The subscriptions that are active, as they were not long ago. */
export interface ActiveSubscriptions {
  active(): Promise<readonly Subscription[]>;
}

/** The one place that every event goes through as it is recorded. */
export interface EventTeller {
  /** Whether any subscription may want events of the kind. */
  isAsked(kind: ToldKind): Promise<boolean>;
  /** Sends on those that some subscription may want. At least once: whoever records tells again if it is unsure. */
  tell(events: readonly ToldEvent[]): Promise<void>;
}

export interface TellerPorts {
  readonly subscriptions: ActiveSubscriptions;
  readonly send: (notices: readonly Notice[]) => Promise<void>;
  readonly crypto: Pick<Crypto, "hash">;
  readonly now: () => number;
}

/** Sixteen octets of a hash, as hex: a name for what consists of these. */
export const nameOf = (crypto: Pick<Crypto, "hash">, ...parts: readonly string[]): string =>
  toHex(crypto.hash("sha256", new TextEncoder().encode(JSON.stringify(parts))).subarray(0, 16));

const asks = ({ kinds }: EventFilter, kind: ToldKind): boolean => kinds?.includes(kind) ?? true;

/** In pieces that a message holds. */
function* pieces(events: readonly ToldEvent[]): Generator<readonly ToldEvent[]> {
  let piece: ToldEvent[] = [];
  let octets = 0;
  for (const event of events) {
    const size = new TextEncoder().encode(JSON.stringify(event)).length + 1;
    if (piece.length > 0 && (piece.length === EVENTS_MAX || octets + size > OCTETS_MAX)) {
      yield piece;
      piece = [];
      octets = 0;
    }
    piece.push(event);
    octets += size;
  }
  if (piece.length > 0) yield piece;
}

export const eventTeller = ({ subscriptions, send, crypto, now }: TellerPorts): EventTeller => ({
  async isAsked(kind) {
    return (await subscriptions.active()).some(({ filter }) => asks(filter, kind));
  },
  async tell(events) {
    if (events.length === 0) return;
    const active = await subscriptions.active();
    const wanted = events.filter((event) => active.some((one) => mayWant(one.filter, event) && mayBeTold(one, event)));
    const notices = [...pieces(wanted)].map((piece) => ({
      id: nameOf(crypto, ...piece.map(({ id }) => id)),
      sentAt: now(),
      events: [...piece],
    }));
    if (notices.length > 0) await send(notices);
  },
});

/** Nobody is told of anything. */
export const NOBODY: EventTeller = { isAsked: async () => false, tell: async () => undefined };

const newsOf = ({ meterId, id, entry }: TimelineItem): ToldEvent[] => {
  if (entry.kind !== "event") return [];
  const { at, event, receivedAt, log, code, sequence, argument } = entry;
  return [
    {
      kind: "device",
      id: `${meterId}/${at}/${id}`,
      at,
      meterId,
      event,
      receivedAt,
      log,
      code,
      ...(sequence === undefined ? {} : { sequence }),
      ...(argument === undefined ? {} : { argument }),
    },
  ];
};

/** A timeline whose events are told as they are kept for the first time. */
export const toldTimeline = (timeline: Pick<Timeline, "add">, teller: EventTeller): Pick<Timeline, "add"> => ({
  async add(items) {
    const kept = await timeline.add(items);
    const news = new Map(kept.flatMap(newsOf).map((event) => [event.id, event]));
    await teller.tell([...news.values()]);
    return kept;
  },
});
