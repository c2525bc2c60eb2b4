import type { Mutation } from "./mutation.ts";

/** Mistakes in what subscribers are told. */
export const EVENT_MUTATIONS: readonly Mutation[] = [
  {
    name: "a subscription's groups not asked for",
    file: "shared/events/subscription.ts",
    original: "    (hasOne(filter.groups, membership?.groups ?? []) &&",
    mutated: "    (hasOne(filter.groups, filter.groups ?? []) &&",
    tests: ["shared/events/webhook.test.ts"],
  },
  {
    name: "a storm counts the meters that it names",
    file: "shared/events/storm.ts",
    original: "    count: events.length,",
    mutated: "    count: meterIds.length,",
    tests: ["shared/events/match-events.test.ts"],
  },
];
