import { describe, expect, it } from "vitest";
import { afterFailure, FAILURES_TO_OPEN, SUSPEND_AFTER_MS } from "./circuit.ts";
import { type DeliverPorts, deliverWebhook } from "./deliver-webhook.ts";
import { memoryEndpointHealths, memorySubscriptions } from "./memory-subscriptions.ts";
import { subscription } from "./subscription-fixture.ts";
import type { WebhookAnswer, WebhookMessage } from "./webhook.ts";

const MINUTE_MS = 60_000;
const message = (subscriptionId: string, deliveryId: string, rest: Partial<WebhookMessage> = {}): WebhookMessage => ({
  subscriptionId,
  deliveryId,
  body: "[]",
  attempt: 1,
  ...rest,
});

/** A queue of webhooks with a clock of its own; endpoints answer as they are told to. */
function world() {
  const subscriptions = memorySubscriptions();
  const healths = memoryEndpointHealths();
  const answers = new Map<string, WebhookAnswer>();
  const tried: { readonly id: string; readonly of: string; readonly at: number }[] = [];
  const parked: { readonly message: WebhookMessage; readonly reason: string }[] = [];
  let queue: { readonly at: number; readonly message: WebhookMessage }[] = [];
  let now = 0;
  const ports: DeliverPorts = {
    subscriptions,
    healths,
    async post({ subscriptionId }, { deliveryId }, at) {
      tried.push({ id: deliveryId, of: subscriptionId, at });
      return answers.get(subscriptionId) ?? { kind: "answered", status: 204 };
    },
    async sendAgain(again, delayMs) {
      if (delayMs > 900_000) throw new Error(`a queue hides nothing for ${delayMs} ms`);
      queue.push({ at: now + delayMs, message: again });
    },
    park: async (aside, reason) => void parked.push({ message: aside, reason }),
    random: { uint32: () => 0 },
    now: () => now,
  };
  return {
    ports,
    subscriptions,
    healths,
    answers,
    tried,
    parked,
    send: (...messages: readonly WebhookMessage[]) => queue.push(...messages.map((one) => ({ at: now, message: one }))),
    waiting: () => queue.length,
    /** Everything that is due until then, in its order. */
    async runTo(until: number) {
      for (;;) {
        queue.sort((left, right) => left.at - right.at);
        const next = queue[0];
        if (next === undefined || next.at > until) break;
        queue = queue.slice(1);
        now = Math.max(now, next.at);
        await deliverWebhook(ports, next.message);
      }
      now = until;
    },
  };
}

describe("webhooks of a subscription", () => {
  it("are delivered, and the endpoint is well", async () => {
    const { ports, subscriptions, healths } = world();
    await subscriptions.create(subscription("a"));
    expect(await deliverWebhook(ports, message("a", "d1"))).toEqual({ did: "delivered" });
    expect(await healths.health("a")).toEqual({ failures: 0, lastDeliveredAt: 0 });
  });

  it("that fail are tried again with rests under the same id, however long a rest is", async () => {
    const { send, subscriptions, answers, tried, runTo, parked, waiting } = world();
    await subscriptions.create(subscription("a"));
    answers.set("a", { kind: "answered", status: 503, retryAfterMs: 3 * 3_600_000 });
    send(message("a", "d1"));
    await runTo(3 * 3_600_000 - 1);
    expect(tried).toHaveLength(1);
    answers.delete("a");
    await runTo(3 * 3_600_000);
    expect(tried.map(({ id }) => id)).toEqual(["d1", "d1"]);
    expect([parked, waiting()]).toEqual([[], 0]);
  });

  it("of a dead endpoint keep no others waiting, are tried by one message at a time, and all come when it is back", async () => {
    const { send, subscriptions, answers, tried, runTo, parked, healths } = world();
    for (const id of ["dead", "well"]) await subscriptions.create(subscription(id));
    answers.set("dead", { kind: "failed", problem: "no answer: ECONNREFUSED" });
    for (let number = 0; number < 200; number++) send(message("dead", `x${number}`), message("well", `w${number}`));
    await runTo(0);
    expect(tried.filter(({ of }) => of === "well")).toHaveLength(200);
    expect(tried.filter(({ of }) => of === "dead")).toHaveLength(FAILURES_TO_OPEN);
    await runTo(2 * 3_600_000);
    const tries = tried.filter(({ of }) => of === "dead").length;
    expect(tries, "one a rest").toBeLessThan(20);
    expect((await healths.health("dead")).lastFailure?.problem).toBe("no answer: ECONNREFUSED");
    answers.delete("dead");
    await runTo(4 * 3_600_000);
    const delivered = tried.slice(-200).filter(({ of }) => of === "dead");
    expect(new Set(delivered.map(({ id }) => id)).size).toBe(200);
    expect(parked).toEqual([]);
    expect(await healths.health("dead")).toMatchObject({ failures: 0 });
  });

  it("of an endpoint that takes nothing for a day are parked, with the reason, until it is resumed", async () => {
    const { send, subscriptions, answers, runTo, parked, healths, tried } = world();
    await subscriptions.create(subscription("a"));
    answers.set("a", { kind: "answered", status: 500 });
    for (let number = 0; number < 10; number++) send(message("a", `d${number}`));
    await runTo(2 * SUSPEND_AFTER_MS);
    expect((await healths.health("a")).suspended?.because).toContain("nothing was taken for a day");
    expect(parked.map(({ message: { deliveryId } }) => deliveryId).sort()).toHaveLength(10);
    expect(parked.every(({ reason }) => /answered 500|suspended/.test(reason))).toBe(true);
    const before = tried.length;
    send(message("a", "later"));
    await runTo(2 * SUSPEND_AFTER_MS + 1);
    expect(tried).toHaveLength(before);
    await healths.forgive("a");
    answers.delete("a");
    send(...parked.map((one) => one.message));
    await runTo(2 * SUSPEND_AFTER_MS + 2);
    expect(new Set(tried.slice(before).map(({ id }) => id)).size).toBe(11);
  });

  it("that its endpoint alone does not take are parked after their tries, and begin again when they are replayed", async () => {
    const { ports, subscriptions, answers, parked } = world();
    await subscriptions.create(subscription("a"));
    answers.set("a", { kind: "answered", status: 400 });
    expect(await deliverWebhook(ports, message("a", "d1", { attempt: 8, notBefore: 0 }))).toMatchObject({
      did: "parked",
    });
    expect(parked).toEqual([{ message: message("a", "d1"), reason: "the endpoint answered 400, 8 times" }]);
  });

  it("of an endpoint that is gone are suspended at once", async () => {
    const { ports, subscriptions, answers, healths, parked } = world();
    await subscriptions.create(subscription("a"));
    answers.set("a", { kind: "answered", status: 410 });
    expect(await deliverWebhook(ports, message("a", "d1"))).toMatchObject({ did: "suspended" });
    expect((await healths.health("a")).suspended?.because).toContain("410");
    expect(parked).toHaveLength(1);
  });

  it("wait while a person has paused it, and are dropped when it is deleted", async () => {
    const { send, subscriptions, tried, runTo, waiting } = world();
    await subscriptions.create({ ...subscription("a"), state: "paused" });
    send(message("a", "d1"));
    await runTo(120 * MINUTE_MS);
    expect([tried.length, waiting()]).toEqual([0, 1]);
    const paused = (await subscriptions.read("a"))!;
    await subscriptions.write(paused, { ...paused, state: "active" });
    await runTo(140 * MINUTE_MS);
    expect([tried.length, waiting()]).toEqual([1, 0]);
    await subscriptions.remove("a");
    send(message("a", "d2"));
    await runTo(141 * MINUTE_MS);
    expect([tried.length, waiting()]).toEqual([1, 0]);
  });

  it("that test are sent once, whatever state it is in", async () => {
    const { ports, subscriptions, answers, healths, waiting } = world();
    await subscriptions.create({ ...subscription("a"), state: "paused" });
    await healths.suspend("a", 0, "gone");
    answers.set("a", { kind: "answered", status: 500 });
    const test = message("a", "t", { test: true });
    expect(await deliverWebhook(ports, test)).toEqual({ did: "test-failed", problem: "the endpoint answered 500" });
    answers.delete("a");
    expect(await deliverWebhook(ports, test)).toEqual({ did: "delivered" });
    expect(waiting()).toBe(0);
  });
});

describe("the circuit of an endpoint", () => {
  it("opens after failures in a row, for ever longer rests up to half an hour", () => {
    const rests = Array.from({ length: 20 }, (_, failures) => afterFailure({ failures }, 0, 0).openUntil);
    expect(rests.slice(0, FAILURES_TO_OPEN)).toEqual(Array.from({ length: FAILURES_TO_OPEN }, () => undefined));
    expect(rests[FAILURES_TO_OPEN]).toBe(MINUTE_MS);
    expect(rests[FAILURES_TO_OPEN + 1]).toBe(2 * MINUTE_MS);
    expect(rests.at(-1)).toBe(30 * MINUTE_MS);
  });

  it("is no reason to suspend before a day is over", () => {
    const health = { failures: 40, failingSince: 0 };
    expect(afterFailure(health, SUSPEND_AFTER_MS - 1, 0).suspend).toBe(false);
    expect(afterFailure(health, SUSPEND_AFTER_MS, 0).suspend).toBe(true);
  });
});
