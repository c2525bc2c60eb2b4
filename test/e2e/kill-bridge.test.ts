import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Deployment, type JobView, until } from "./deployment.ts";

interface Processes {
  readonly bridges: readonly { readonly pid: number }[];
}
interface Witness {
  /** Invocation counters that a meter saw twice, or lower than one before. */
  readonly violations: readonly unknown[];
  readonly sessions: number;
}

const METERS = 1000;
const DAY = 86_400_000;

describe("the bridge killed in the middle of a read of a thousand", () => {
  let headend: Deployment;
  beforeAll(async () => {
    headend = await Deployment.start(["--meters", String(METERS)]);
  }, 180_000);
  afterAll(async () => {
    expect(await headend.stop()).toBe(0);
  });

  it("is restarted; the job ends with all done, none counted twice, and no invocation counter used again", async () => {
    const now = Math.floor(Date.now() / 1000) * 1000;
    const accepted = await headend.call<JobView>("operator", "POST", "/jobs", {
      operation: {
        kind: "readIntervals",
        range: { from: new Date(now - DAY).toISOString(), to: new Date(now).toISOString() },
        registers: "total",
      },
      target: { kind: "all" },
    });
    expect(accepted.status).toBe(202);
    const { jobId } = accepted.body;
    const processes = async () => (await headend.call<Processes>("operator", "GET", "/local/processes")).body;
    const [first] = (await processes()).bridges;

    const seen = await until(60_000, "a part of the meters to be read", async () => {
      const { body } = await headend.call<JobView>("operator", "GET", `/jobs/${jobId}`);
      return body.progress.done >= 50 ? body.progress : undefined;
    });
    expect(seen.done, "the kill comes in the middle").toBeLessThan(METERS);
    process.kill(first?.pid ?? 0, "SIGKILL");

    await until(30_000, "another bridge", async () => {
      const [next] = (await processes()).bridges;
      return next !== undefined && next.pid !== first?.pid ? next : undefined;
    });
    const end = await headend.jobEnd(jobId, 240_000);
    expect(end.progress).toMatchObject({ open: 0, done: METERS, failed: 0, expired: 0, cancelled: 0 });
    const witness = await headend.call<Witness>("operator", "GET", "/local/witness");
    expect(witness.body.violations).toEqual([]);
    // Meters that speak in clear have no counters to look at: few of a town.
    expect(witness.body.sessions).toBeGreaterThan(METERS * 0.9);
  }, 300_000);
});
