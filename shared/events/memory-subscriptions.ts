import { type EndpointHealth, HEALTHY } from "./circuit.ts";
import type { EndpointHealths, Subscriptions } from "./deliver-webhook.ts";
import type { Subscription } from "./subscription.ts";

/** Subscriptions in memory, with the conditions of the real ones: for tests. */
export function memorySubscriptions(): Subscriptions {
  const known = new Map<string, Subscription>();
  return {
    async create(subscription) {
      if (known.has(subscription.subscriptionId)) return "exists";
      known.set(subscription.subscriptionId, subscription);
      return "created";
    },
    read: async (subscriptionId) => known.get(subscriptionId),
    list: async () => [...known.keys()].sort().flatMap((id) => known.get(id) ?? []),
    async write(was, next) {
      if (known.get(was.subscriptionId)?.version !== was.version) return "conflict";
      known.set(was.subscriptionId, { ...next, version: was.version + 1 });
      return "written";
    },
    async remove(subscriptionId) {
      known.delete(subscriptionId);
    },
  };
}

export function memoryEndpointHealths(): EndpointHealths {
  const known = new Map<string, EndpointHealth>();
  const of = (subscriptionId: string): EndpointHealth => known.get(subscriptionId) ?? HEALTHY;
  return {
    health: async (subscriptionId) => of(subscriptionId),
    healths: async () => new Map(known),
    async succeeded(subscriptionId, at) {
      const { failingSince: _, openUntil: __, ...rest } = of(subscriptionId);
      known.set(subscriptionId, { ...rest, failures: 0, lastDeliveredAt: at });
    },
    async failed(subscriptionId, at, problem) {
      const was = of(subscriptionId);
      const next = {
        ...was,
        failures: was.failures + 1,
        failingSince: was.failingSince ?? at,
        lastFailure: { at, problem },
      };
      known.set(subscriptionId, next);
      return next;
    },
    async open(subscriptionId, until) {
      const was = of(subscriptionId);
      if ((was.openUntil ?? Number.NEGATIVE_INFINITY) < until) known.set(subscriptionId, { ...was, openUntil: until });
    },
    async probe(subscriptionId, openUntil, until) {
      const was = of(subscriptionId);
      if (was.openUntil !== openUntil) return false;
      known.set(subscriptionId, { ...was, openUntil: until });
      return true;
    },
    async suspend(subscriptionId, at, because) {
      known.set(subscriptionId, { ...of(subscriptionId), suspended: { at, because } });
    },
    async forgive(subscriptionId) {
      const { failingSince: _, openUntil: __, suspended: ___, ...rest } = of(subscriptionId);
      known.set(subscriptionId, { ...rest, failures: 0 });
    },
  };
}
