import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bridgesOf, countersUsedTwice } from "./bridges.ts";
import { Deployment, type JobView, until } from "./deployment.ts";

const METERS = 1000;
const DAY_MS = 86_400_000;

describe("two bridges in the middle of a read of a thousand", () => {
  let headend: Deployment;
  beforeAll(async () => {
    headend = await Deployment.start(["--meters", String(METERS), "--bridges", "2", "--faults", "slow=0.1"]);
  }, 240_000);
  afterAll(async () => {
    expect(await headend?.stop()).toBe(0);
  });

  it("one is killed, then the other drained and replaced: all done, and no invocation counter used again", async () => {
    expect(await bridgesOf(headend)).toHaveLength(2);
    const now = Math.floor(Date.now() / 1000) * 1000;
    const accepted = await headend.call<JobView>("operator", "POST", "/jobs", {
      operation: {
        kind: "readIntervals",
        range: { from: new Date(now - DAY_MS).toISOString(), to: new Date(now).toISOString() },
        registers: "total",
      },
      target: { kind: "all" },
    });
    const { jobId } = accepted.body;
    const progress = async () => (await headend.call<JobView>("operator", "GET", `/jobs/${jobId}`)).body.progress;
    const pids = new Set((await bridgesOf(headend)).map(({ pid }) => pid));

    const working = (most: number) =>
      until(150_000, "a bridge in the middle of the work", async () => {
        const { done, open } = await progress();
        if (done > 0) expect(open, "the work is not over yet").toBeGreaterThan(0);
        const busy = (await bridgesOf(headend)).find(({ busySessions }) => busySessions > 0);
        return done >= most ? busy : undefined;
      });
    const killed = await working(50);
    process.kill(killed.pid, "SIGKILL");
    const left = (await progress()).done;
    const drained = await working(left + 1); // whoever took the slice over: the other one, or who came in its place
    expect(drained.pid).not.toBe(killed.pid);
    process.kill(drained.pid, "SIGTERM");

    const end = await headend.jobEnd(jobId, 240_000);
    expect(end.progress).toMatchObject({ open: 0, done: METERS, failed: 0, expired: 0, cancelled: 0 });
    const replaced = await until(60_000, "two bridges again", async () => {
      const bridges = await bridgesOf(headend);
      return bridges.length === 2 && bridges.every(({ state }) => state === "working") ? bridges : undefined;
    });
    for (const { pid } of replaced) expect([killed.pid, drained.pid]).not.toContain(pid);
    expect(replaced.filter(({ pid }) => pids.has(pid)).length).toBeLessThan(2);
    expect(await countersUsedTwice(headend)).toEqual([]);
  }, 420_000);
});
