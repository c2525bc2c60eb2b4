import { describe, expect, it } from "vitest";
import { runOnce } from "./deployment.ts";

describe("npm start -- --once", () => {
  it("reads a thousand meters, and what is stored equals what the meters hold", async () => {
    const { code, summary, stderr } = await runOnce(["--meters", "1000"]);
    expect(code, stderr.slice(-2000)).toBe(0);
    expect(summary.meters).toBe(1000);
    expect(summary.tasks).toEqual({ done: 1000, failed: 0, expired: 0, cancelled: 0 });
    // 24 h of 15-minute intervals in two channels, and the total registers.
    expect(summary.readings).toBeGreaterThanOrEqual(1000 * (95 * 2 + 2));
    expect(summary.verified).toBe(summary.readings);
  }, 240_000);

  it("does not mind a table that throttles a request in a hundred and answers eventual reads from the past", async () => {
    const { code, summary, stderr } = await runOnce(["--meters", "150", "--disturb", "throttle=0.01,stale=0.01"]);
    expect(code, stderr.slice(-2000)).toBe(0);
    expect(summary.tasks.done).toBe(150);
    expect(summary.verified).toBe(summary.readings);
  }, 240_000);
});
