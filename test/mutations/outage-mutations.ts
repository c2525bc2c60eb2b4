import type { Mutation } from "./mutation.ts";

/** Mistakes about who has supply. */
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
];
