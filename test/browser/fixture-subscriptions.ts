import { problemOf } from "../../shared/api/problem.ts";
import type { ResponseReceived } from "../../shared/api/route.ts";
import type { Routes } from "../../shared/api/routes.ts";
import type { FixtureAnswer } from "./fixture-api.ts";

type Subscription = ResponseReceived<Routes["readSubscription"]>;

/** Two subscriptions: one whose endpoint failed for a day, and one that works. */
export class FixtureSubscriptions {
  #subscriptions: readonly Subscription[];

  constructor(now: () => number) {
    const at = (agoMs: number): string => new Date(now() - agoMs).toISOString();
    const made = { createdAt: at(86_400_000 * 9), modifiedAt: at(86_400_000 * 9), secrets: 1 };
    this.#subscriptions = [
      {
        ...made,
        subscriptionId: "controlroom",
        description: "Control room",
        url: "https://oms.example/headrace",
        filter: { severities: ["alarm"], kinds: ["device", "outage"] },
        owner: { id: "a1", name: "ada" },
        state: "suspended",
        health: {
          failures: 48,
          failingSince: at(90_000_000),
          lastFailure: { at: at(600_000), problem: "the endpoint answered 503" },
          lastDeliveredAt: at(90_100_000),
          suspended: { at: at(600_000), because: "nothing was taken for a day, last: the endpoint answered 503" },
        },
      },
      {
        ...made,
        subscriptionId: "market",
        description: "Market",
        url: "https://market.example/hooks",
        filter: { kinds: ["job"] },
        owner: { id: "market-client" },
        state: "active",
        health: { failures: 0, lastDeliveredAt: at(120_000) },
      },
    ];
  }

  answer(method: string, subscriptionId: string | undefined, part: string | undefined): FixtureAnswer {
    if (subscriptionId === undefined) return { status: 200, body: { subscriptions: this.#subscriptions } };
    const found = this.#subscriptions.find((one) => one.subscriptionId === subscriptionId);
    if (found === undefined)
      return { status: 404, body: problemOf("not-found", `There is no subscription ${subscriptionId}.`) };
    if (method === "DELETE") {
      this.#subscriptions = this.#subscriptions.filter((one) => one !== found);
      return { status: 204, body: undefined };
    }
    const { suspended: _, ...health } = found.health;
    const next: Subscription = { ...found, state: part === "pause" ? "paused" : "active", health };
    this.#subscriptions = this.#subscriptions.map((one) => (one === found ? next : one));
    return { status: 200, body: next };
  }
}
