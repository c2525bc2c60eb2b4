import type { Mutation } from "./mutation.ts";

/** Mistakes about who has supply, and who is to lose it. */
export const OUTAGE_MUTATIONS: readonly Mutation[] = [
  {
    name: "a loss of supply believed before it was held",
    file: "shared/outage/infer-faults.ts",
    original: "  const settled = now - policy.holdMs;",
    mutated: "  const settled = now;",
    tests: ["shared/outage/evaluate-feeder.test.ts"],
  },
  {
    name: "all are back when one says so",
    file: "shared/outage/evaluate-feeder.ts",
    original:
      "    else if (!elsewhere.has(meterId) && (asked[meterId]?.silences ?? 0) < policy.silencesMax) return draft;\n",
    mutated: "",
    tests: ["shared/outage/evaluate-feeder.test.ts"],
  },
  {
    name: "a test that limits the power in earnest",
    file: "shared/bridge/order-task.ts",
    original: '(test ? { kind: "done", result: NOTHING } : undefined);',
    mutated: "undefined;",
    tests: ["test/simulation/switch-orders.test.ts"],
  },
  {
    name: "a stop that loads do not know",
    file: "shared/bridge/order-safety.ts",
    original: "(load && ruleAgainst({ ...authority, moratoria: [] }, load, item, now)) ??",
    mutated: "undefined ??",
    tests: ["test/simulation/load-orders.test.ts"],
  },
  {
    name: "an event that does not know of a stop",
    file: "shared/demand/drive-events.ts",
    original: " && stopFor(rules.stops, to, {}, at) === undefined;",
    mutated: " && at > 0;",
    tests: ["shared/demand/drive-events.test.ts"],
  },
];
