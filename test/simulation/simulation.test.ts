import { beforeAll, describe, expect, it } from "vitest";
import { addSeed, noSeeds, type SeedsSummary } from "./seed-range.ts";
import { simulate } from "./simulate.ts";

const SEEDS = 120;

describe("the whole engine under seeded faults", () => {
  let summary: SeedsSummary;
  beforeAll(async () => {
    summary = noSeeds();
    for (let seed = 1; seed <= SEEDS; seed++) await addSeed(summary, seed);
  });

  it("breaks no invariant and comes to rest", () => expect(summary.violations).toEqual([]));

  it("reaches what it is there to test: readings, resends, slices of one, late results, real meters", () => {
    const { readings, dlms, reached } = summary;
    expect(readings).toBeGreaterThan(SEEDS * 5);
    expect(dlms).toBeGreaterThan(0);
    expect(reached.resends).toBeGreaterThan(SEEDS / 2);
    expect(reached.splits).toBeGreaterThan(0);
    expect(reached.late).toBeGreaterThan(0);
  });

  it("does the same again for the same seed", async () => {
    const [first, second]: [string[], string[]] = [[], []];
    const seed = 20; // with the real driver
    for (const lines of [first, second]) await simulate(seed, (line) => void lines.push(line));
    expect(first.length).toBeGreaterThan(100);
    expect(second).toEqual(first);
  });

  it("names a seed that goes on for ever, and ends", async () => {
    const { violation } = await simulate(3, undefined, { stepsMax: 500 });
    expect(violation).toContain("seed 3 livelocks: expected to come to rest within 500 steps");
  });
});
