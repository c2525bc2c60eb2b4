import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MeterId } from "../metering/meter.ts";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { activeSubscriptions, KEPT_MS } from "./active-subscriptions.ts";
import { type MatchPorts, matchNotice, tellStorms } from "./match-events.ts";
import { memoryStorms } from "./memory-storms.ts";
import { memorySubscriptions } from "./memory-subscriptions.ts";
import { MINUTE_MS, SINGLE_MAX } from "./storm.ts";
import { type Membership, mayBeTold, type Subscription, wants } from "./subscription.ts";
import { gasp, JOB_NEWS, OUTAGE_NEWS, subscription } from "./subscription-fixture.ts";
import { eventTeller, type Notice } from "./tell-events.ts";
import type { DeviceEvent, ToldEvent } from "./told-event.ts";
import type { WebhookMessage } from "./webhook.ts";

const T0 = Date.UTC(2026, 10, 2, 12);

/** Meters M-0 … of feeders F0, F1 and none; every third of the group `north`. */
const memberOf = (meterId: string): Membership => {
  const number = Number(meterId.slice(2));
  const feeder = number % 3 === 2 ? undefined : `F${number % 3}`;
  return { segment: number % 5, groups: number % 3 === 0 ? ["north"] : [], feeder };
};

interface Told {
  readonly id: string;
  readonly type: string;
  readonly data: { readonly count?: number; readonly meters?: readonly string[]; readonly events?: string };
}

function world(subscriptions: readonly Subscription[], breaks: () => boolean = () => false) {
  const queue: WebhookMessage[] = [];
  const storms = memoryStorms();
  const broken =
    <A extends readonly unknown[], R>(run: (...given: A) => Promise<R>) =>
    async (...given: A): Promise<R> => {
      if (breaks()) throw new Error("broken off before");
      const answer = await run(...given);
      if (breaks()) throw new Error("broken off behind");
      return answer;
    };
  const ports: MatchPorts = {
    subscriptions: { active: async () => subscriptions },
    memberships: async (meterIds) => new Map(meterIds.map((meterId) => [meterId, memberOf(meterId)])),
    storms: {
      ...storms,
      admit: broken(storms.admit),
      keep: broken(storms.keep),
      markTold: broken(storms.markTold),
      dropName: broken(storms.dropName),
    },
    send: broken(async (messages) => void queue.push(...messages)),
    crypto: nodeCrypto,
    source: "/headrace/test",
  };
  const until = async <T>(run: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await run();
      } catch (error) {
        if (!(error as Error).message.startsWith("broken off")) throw error;
      }
    }
  };
  const told = (subscriptionId: string): readonly Told[] =>
    queue
      .filter((message) => message.subscriptionId === subscriptionId)
      .flatMap(({ body }) => JSON.parse(body) as Told[]);
  /** Ids of events that were told one by one, and those that a storm's messages count, as its list has them. */
  const reached = async (subscriptionId: string) => {
    const single: string[] = [];
    let counted = 0;
    const listed: string[] = [];
    const seen = new Set<string>();
    for (const { id, type, data } of told(subscriptionId)) {
      if (type !== "io.headrace.event.device-storm.v1") single.push(id);
      else {
        counted += data.count ?? 0;
        const stormId = data.events?.split("/").at(-1) ?? "";
        if (seen.has(stormId)) continue;
        seen.add(stormId);
        for (const { events } of await storms.parts({ subscriptionId, stormId }, "", 10_000))
          listed.push(...events.map((event) => event.id));
      }
    }
    return { single, counted, listed };
  };
  return { ports, queue, told, reached, until };
}

const noticeOf = (id: string, sentAt: number, events: readonly ToldEvent[]): Notice => ({
  id,
  sentAt,
  events: [...events],
});

describe("events against subscriptions", () => {
  it("go to each that wants them, one by one, in deliveries that the same events name the same", async () => {
    const wanted = [
      subscription("all"),
      subscription("f1", { feeders: ["F1"] }),
      subscription("info", { severities: ["info"] }),
    ];
    const { ports, queue, told } = world(wanted);
    const notice = noticeOf("n1", T0, [gasp("M-1"), gasp("M-3"), OUTAGE_NEWS, JOB_NEWS]);
    expect(await matchNotice(ports, notice)).toEqual({ wanted: 6, deliveries: 2, gathered: 0 });
    expect(told("all")).toHaveLength(4);
    expect(told("f1").map(({ id }) => id)).toEqual([gasp("M-1").id, OUTAGE_NEWS.id]);
    expect(told("info")).toEqual([]);
    await matchNotice(ports, notice);
    expect(new Set(queue.map(({ deliveryId }) => deliveryId)).size).toBe(2);
  });

  it("that come in numbers are one message for each feeder, with all of them counted and some of them named", async () => {
    const { ports, told, reached } = world([subscription("oms", { severities: ["alarm"] })]);
    const gasps = Array.from({ length: 900 }, (_, meter) => gasp(`M-${meter}`, T0 + meter));
    for (let from = 0; from < 900; from += 100)
      await matchNotice(ports, noticeOf(`n${from}`, T0 + from, gasps.slice(from, from + 100)));
    expect(told("oms")).toEqual([]);
    expect(await tellStorms(ports, T0 + MINUTE_MS), "the minute is not over for who comes late").toEqual({
      storms: 0,
      events: 0,
    });
    expect(await tellStorms(ports, T0 + MINUTE_MS + 10_000)).toEqual({ storms: 3, events: 900 });
    expect(told("oms").map(({ data }) => [data.count, data.meters?.length])).toEqual([
      [300, 50],
      [300, 50],
      [300, 50],
    ]);
    expect((await reached("oms")).listed.sort()).toEqual(gasps.map(({ id }) => id).sort());
    expect(await tellStorms(ports, T0 + 5 * MINUTE_MS)).toEqual({ storms: 0, events: 0 });
  });

  it("that trickle in are told at once until they are many", async () => {
    const { ports, told } = world([subscription("oms")]);
    for (let meter = 0; meter < 3 * (SINGLE_MAX + 5); meter += 3)
      await matchNotice(ports, noticeOf(`n${meter}`, T0 + meter, [gasp(`M-${meter}`, T0)]));
    expect(told("oms")).toHaveLength(SINGLE_MAX);
    await tellStorms(ports, T0 + 2 * MINUTE_MS);
    expect(told("oms").at(-1)?.data.count).toBe(5);
    await matchNotice(ports, noticeOf("later", T0 + MINUTE_MS, [gasp("M-900", T0)]));
    expect(told("oms"), "another minute begins anew").toHaveLength(SINGLE_MAX + 2);
  });

  const arbEvent: fc.Arbitrary<DeviceEvent> = fc
    .record({
      meter: fc.nat(400),
      at: fc.nat(3),
      name: fc.constantFrom("power.last-gasp" as const, "voltage.under" as const),
    })
    .map(({ meter, at, name }) => ({
      ...gasp(`M-${meter}`, T0 + at),
      event: name,
      id: `M-${meter}/${at}/${name}`,
      meterId: MeterId.parse(`M-${meter}`),
    }));
  const filters: readonly Subscription["filter"][] = [
    {},
    { severities: ["alarm"] },
    { feeders: ["F1"] },
    { groups: ["north"], events: ["voltage.under"] },
    { segments: [1, 2], kinds: ["device"] },
    { codes: ["3.26.136.47"], meters: ["M-1", "M-2", "M-30"] },
  ];

  it("reach who wants them exactly once, alone or counted in a storm, whatever they are and however they come", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(100_000), fc.array(arbEvent, { minLength: 1, maxLength: 60 })), { maxLength: 12 }),
        async (batches) => {
          const subscriptions = filters.map((filter, index) => subscription(`s${index}`, filter));
          const { ports, reached } = world(subscriptions);
          const seen = new Set<string>();
          const recorded: DeviceEvent[] = [];
          for (const [index, [after, events]] of batches.entries()) {
            const fresh = events.filter(({ id }) => !seen.has(id) && seen.add(id));
            if (fresh.length === 0) continue;
            recorded.push(...fresh);
            await matchNotice(ports, noticeOf(`n${index}`, T0 + after, fresh));
          }
          await tellStorms(ports, T0 + 10 * MINUTE_MS);
          for (const one of subscriptions) {
            const wanted = recorded.filter((event) => wants(one.filter, event, memberOf(event.meterId)));
            const { single, counted, listed } = await reached(one.subscriptionId);
            expect(single.length + counted).toBe(wanted.length);
            expect([...single, ...listed].sort()).toEqual(wanted.map(({ id }) => id).sort());
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("reach who wants them at least once wherever it breaks off, and in no storm's list twice", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(arbEvent, { minLength: 1, maxLength: 60 }), { minLength: 1, maxLength: 5 }),
        fc.infiniteStream(fc.nat(9)),
        async (batches, chances) => {
          const subscriptions = [subscription("all"), subscription("f1", { feeders: ["F1"] })];
          const { ports, reached, until } = world(subscriptions, () => chances.next().value === 0);
          const recorded = new Map<string, DeviceEvent>();
          for (const [index, events] of batches.entries()) {
            const fresh = events.filter(({ id }) => !recorded.has(id) && recorded.set(id, events[0] as DeviceEvent));
            if (fresh.length === 0) continue;
            for (const event of fresh) recorded.set(event.id, event);
            await until(() => matchNotice(ports, noticeOf(`n${index}`, T0 + index, fresh)));
          }
          await until(() => tellStorms(ports, T0 + 10 * MINUTE_MS));
          for (const one of subscriptions) {
            const wanted = [...recorded.values()].filter((event) => wants(one.filter, event, memberOf(event.meterId)));
            const { single, counted, listed } = await reached(one.subscriptionId);
            expect(new Set([...single, ...listed])).toEqual(new Set(wanted.map(({ id }) => id)));
            expect(new Set(listed).size).toBe(listed.length);
            expect(counted).toBeGreaterThanOrEqual(listed.length);
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("the one place that events are told at", () => {
  const of = (subscriptions: readonly Subscription[]) => {
    const notices: Notice[] = [];
    const teller = eventTeller({
      subscriptions: { active: async () => subscriptions },
      send: async (sent) => void notices.push(...sent),
      crypto: nodeCrypto,
      now: () => T0,
    });
    return { teller, notices };
  };

  it("sends nothing on that nobody wants", async () => {
    const { teller, notices } = of([subscription("jobs", { kinds: ["job"] })]);
    await teller.tell([gasp("M-1"), OUTAGE_NEWS]);
    expect(notices).toEqual([]);
    expect([await teller.isAsked("job"), await teller.isAsked("outage")]).toEqual([true, false]);
    await teller.tell([JOB_NEWS]);
    expect(notices).toMatchObject([{ events: [{ kind: "job" }] }]);
  });

  it("sends nothing on that its owner may not know", async () => {
    const market = { ...subscription("market"), owner: { id: "market", roles: ["subscriber"] } };
    expect(mayBeTold(market, gasp("M-1"))).toBe(false);
    const { teller, notices } = of([market]);
    await teller.tell([gasp("M-1"), OUTAGE_NEWS]);
    expect(notices.flatMap(({ events }) => events)).toEqual([OUTAGE_NEWS]);
  });

  it("sends what a message holds, and names the same events the same", async () => {
    const { teller, notices } = of([subscription("all")]);
    const events = Array.from({ length: 1_200 }, (_, meter) => ({ ...gasp(`M-${meter}`), argument: "x".repeat(400) }));
    await teller.tell(events);
    await teller.tell(events);
    expect(notices.flatMap((notice) => notice.events)).toEqual([...events, ...events]);
    for (const notice of notices) expect(JSON.stringify(notice).length).toBeLessThan(256_000);
    expect(new Set(notices.map(({ id }) => id)).size).toBe(notices.length / 2);
  });
});

describe("the list of active subscriptions", () => {
  it("is read once in a while, without those that are paused, and again after a failure", async () => {
    const store = memorySubscriptions();
    await store.create(subscription("a"));
    await store.create({ ...subscription("b"), state: "paused" });
    let [now, reads, fails] = [0, 0, false];
    const list = activeSubscriptions(
      {
        list: async () => {
          reads++;
          if (fails) throw new Error("throttled");
          return store.list();
        },
      },
      () => now,
    );
    const ids = async () => (await list.active()).map(({ subscriptionId }) => subscriptionId);
    expect([await ids(), await ids()]).toEqual([["a"], ["a"]]);
    expect(reads).toBe(1);
    [now, fails] = [KEPT_MS, true];
    await expect(list.active()).rejects.toThrow("throttled");
    fails = false;
    await store.create(subscription("c"));
    expect(await ids()).toEqual(["a", "c"]);
  });
});
