import type { MeterId } from "../metering/meter.ts";
import type { Crypto } from "../ports/crypto.ts";
import { MINUTE_MS, type StormName, type StormPart, type Storms, stormOf } from "./storm.ts";
import { asksForPlaces, type Membership, mayBeTold, mayWant, type Subscription, wants } from "./subscription.ts";
import { type ActiveSubscriptions, type Notice, nameOf } from "./tell-events.ts";
import type { DeviceEvent, ToldEvent } from "./told-event.ts";
import { cloudEvents, stormEvent, type WebhookMessage } from "./webhook.ts";

export interface MatchPorts {
  readonly subscriptions: ActiveSubscriptions;
  /** Those that are enrolled. */
  readonly memberships: (meterIds: readonly MeterId[]) => Promise<ReadonlyMap<MeterId, Membership>>;
  readonly storms: Storms;
  readonly send: (messages: readonly WebhookMessage[]) => Promise<void>;
  readonly crypto: Pick<Crypto, "hash">;
  /** Of the deployment, the same for ever. */
  readonly source: string;
}

export interface MatchFacts {
  /** Events times subscriptions that want them. */
  readonly wanted: number;
  readonly deliveries: number;
  /** Of them, kept to be told together. */
  readonly gathered: number;
}

/** Events of one delivery at the most: of a meter about 400 octets each; an outage may name many meters. */
const EVENTS_MAX = 100;
const OCTETS_MAX = 150_000;

/** In deliveries of a size that a queue takes. */
function deliveriesOf(
  { source, crypto }: Pick<MatchPorts, "source" | "crypto">,
  subscriptionId: string,
  events: readonly ToldEvent[],
): WebhookMessage[] {
  const messages: WebhookMessage[] = [];
  let piece: ToldEvent[] = [];
  let octets = 0;
  const close = (): void => {
    if (piece.length === 0) return;
    const deliveryId = nameOf(crypto, subscriptionId, ...piece.map(({ id }) => id));
    messages.push({ subscriptionId, deliveryId, body: cloudEvents(source, piece), attempt: 1 });
    piece = [];
    octets = 0;
  };
  for (const event of events) {
    const size = JSON.stringify(event).length + 300;
    if (piece.length === EVENTS_MAX || octets + size > OCTETS_MAX) close();
    piece.push(event);
    octets += size;
  }
  close();
  return messages;
}

const isOfDevice = (event: ToldEvent): event is DeviceEvent => event.kind === "device";

/**
 * Holds the events of one notice against every active subscription: what is wanted goes to the queue of webhooks, or, where
 * like events are many, into a storm. May be repeated: the same notice makes the same deliveries and the same parts.
 */
export async function matchNotice(ports: MatchPorts, notice: Notice): Promise<MatchFacts> {
  const active = await ports.subscriptions.active();
  const candidates = active.map((subscription) => ({
    subscription,
    events: notice.events.filter((event) => mayWant(subscription.filter, event) && mayBeTold(subscription, event)),
  }));
  const asked = new Set(candidates.flatMap(({ events }) => events.filter(isOfDevice).map(({ meterId }) => meterId)));
  const members: ReadonlyMap<MeterId, Membership> = asked.size === 0 ? new Map() : await ports.memberships([...asked]);
  const feederOf = ({ meterId }: DeviceEvent): string | undefined => members.get(meterId)?.feeder;
  const verdicts = await admitted(ports, notice, new Set(candidates.flatMap(({ events }) => events)), feederOf);

  const messages: WebhookMessage[] = [];
  const facts = { wanted: 0, gathered: 0 };
  for (const { subscription, events } of candidates) {
    const place = asksForPlaces(subscription.filter);
    const fitting = events.filter(
      (event) =>
        !place || wants(subscription.filter, event, isOfDevice(event) ? members.get(event.meterId) : undefined),
    );
    const { single, parts } = sorted(subscription, notice, fitting, verdicts, feederOf);
    facts.wanted += fitting.length;
    facts.gathered += fitting.length - single.length;
    for (const part of parts) await ports.storms.keep(part);
    messages.push(...deliveriesOf(ports, subscription.subscriptionId, single));
  }
  if (messages.length > 0) await ports.send(messages);
  return { ...facts, deliveries: messages.length };
}

const likenessOf = (event: DeviceEvent, feeder: string | undefined): string => `${event.event}~${feeder ?? ""}`;
const minuteOf = (at: number): number => Math.floor(at / MINUTE_MS) * MINUTE_MS;

/** Whether like events of the notice are told one by one, by likeness. One answer for all subscriptions. */
async function admitted(
  { storms }: Pick<MatchPorts, "storms">,
  notice: Notice,
  events: ReadonlySet<ToldEvent>,
  feederOf: (event: DeviceEvent) => string | undefined,
): Promise<ReadonlyMap<string, boolean>> {
  const groups = new Map<string, DeviceEvent[]>();
  for (const event of [...events].filter(isOfDevice)) {
    const likeness = likenessOf(event, feederOf(event));
    groups.set(likeness, [...(groups.get(likeness) ?? []), event]);
  }
  const verdicts = new Map<string, boolean>();
  for (const [likeness, of] of groups) {
    const [first] = of;
    if (first === undefined) continue;
    const key = { event: first.event, feeder: feederOf(first), minute: minuteOf(notice.sentAt) };
    verdicts.set(likeness, await storms.admit(key, notice.id, of.length));
  }
  return verdicts;
}

function sorted(
  { subscriptionId }: Subscription,
  { id: noticeId, sentAt }: Notice,
  events: readonly ToldEvent[],
  verdicts: ReadonlyMap<string, boolean>,
  feederOf: (event: DeviceEvent) => string | undefined,
): { readonly single: readonly ToldEvent[]; readonly parts: readonly StormPart[] } {
  const single: ToldEvent[] = [];
  const parts = new Map<string, StormPart>();
  for (const event of events) {
    const feeder = isOfDevice(event) ? feederOf(event) : undefined;
    if (!isOfDevice(event) || verdicts.get(likenessOf(event, feeder)) !== false) {
      single.push(event);
      continue;
    }
    const key = likenessOf(event, feeder);
    const part = parts.get(key) ?? {
      subscriptionId,
      event: event.event,
      ...(feeder === undefined ? {} : { feeder }),
      minute: minuteOf(sentAt),
      noticeId,
      events: [],
    };
    const { id, meterId, at } = event;
    parts.set(key, { ...part, events: [...part.events, { id, meterId, at }] });
  }
  return { single, parts: [...parts.values()] };
}

export interface StormFacts {
  readonly storms: number;
  readonly events: number;
}

/** Parts of one message at the most; the rest is another. */
const PARTS_MAX = 200;
/** Messages of events that came in time are handled by then. */
const LATE_MS = 10_000;

/** Tells what was gathered in minutes that are over. Sent, then marked: what breaks off between is told again. */
export async function tellStorms(ports: Omit<MatchPorts, "subscriptions" | "memberships">, now: number) {
  const facts = { storms: 0, events: 0 };
  for (const name of await ports.storms.untold(minuteOf(now - LATE_MS))) {
    const told = await tellStorm(ports, name);
    facts.storms += told.storms;
    facts.events += told.events;
  }
  return facts;
}

async function tellStorm(
  { storms, crypto, source, send }: Omit<MatchPorts, "subscriptions" | "memberships">,
  name: StormName,
): Promise<StormFacts> {
  const facts = { storms: 0, events: 0 };
  for (let after: string | undefined = ""; after !== undefined; ) {
    const parts = await storms.parts(name, after, PARTS_MAX);
    const rest = parts.filter(({ told }) => !told);
    const storm = stormOf(rest);
    if (storm !== undefined) {
      const noticeIds = rest.map(({ noticeId }) => noticeId);
      const deliveryId = nameOf(crypto, name.subscriptionId, name.stormId, ...noticeIds);
      const body = stormEvent(source, deliveryId, storm);
      await send([{ subscriptionId: name.subscriptionId, deliveryId, body, attempt: 1 }]);
      await storms.markTold(name, noticeIds);
      facts.storms++;
      facts.events += storm.count;
    }
    after = parts.length < PARTS_MAX ? undefined : parts.at(-1)?.noticeId;
  }
  await storms.dropName(name);
  return facts;
}
