import { describe, expect, it } from "vitest";
import { storm } from "./storm.ts";
import { scoreOutages, scoreRestorations } from "./storm-score.ts";

describe("a storm whose last gasps and notices are lost, late and repeated", () => {
  it("is told by its devices, nested ones too; little is told that is not", async () => {
    const [told, right, there, found, momentaries] = [0, 0, 0, 0, 0];
    const sum = { told, right, there, found, momentaries };
    for (const seed of [1, 4]) {
      const end = await storm({ seed, feeders: 4, minutes: 140, lost: 0.3, momentaries: 2 });
      for (const score of [scoreOutages(end), scoreRestorations(end)]) {
        sum.told += score.told;
        sum.right += score.right;
        sum.there += score.there;
        sum.found += score.found;
      }
      sum.momentaries += end.momentaries;
      expect(end.openAtEnd).toBeLessThanOrEqual(1);
    }
    expect(sum.there).toBeGreaterThan(12);
    expect(sum.right / sum.told).toBeGreaterThan(0.85);
    expect(sum.found / sum.there).toBeGreaterThan(0.85);
    expect(sum.momentaries).toBeGreaterThan(100);
  });
});
