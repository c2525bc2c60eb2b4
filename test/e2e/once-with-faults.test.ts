import { describe, expect, it } from "vitest";
import { runOnce } from "./deployment.ts";

describe("npm start -- --once --faults", () => {
  it("reads all others when some meters fail, and says of each failed one why", async () => {
    const faults = "silent=0.03,wrong-key=0.03,drops=0.02,closed=0.02,slow=0.02";
    const { code, summary, stderr } = await runOnce(["--meters", "1000", "--faults", faults]);
    expect(code, stderr.slice(-2000)).toBe(1);
    expect(summary.tasks).toEqual({ done: 900, failed: 100, expired: 0, cancelled: 0 });
    expect(summary.reasons).toEqual({ timeout: 30, auth: 30, interrupted: 20, unreachable: 20 });
    expect(summary.verified).toBe(summary.readings);
    expect(summary.elapsedMs).toBeLessThan(180_000);
  }, 300_000);
});
