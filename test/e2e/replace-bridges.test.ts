import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Deployment, type JobView, until } from "./deployment.ts";

interface Processes {
  readonly bridges: readonly { readonly name: string; readonly pid: number }[];
}
interface Witness {
  readonly violations: readonly unknown[];
}

const METERS = 600;
const DAY = 86_400_000;

describe("two bridges, one killed and the other drained while a read runs", () => {
  let headend: Deployment;
  beforeAll(async () => {
    headend = await Deployment.start(["--meters", String(METERS), "--bridges", "2", "--faults", "slow=0.1"]);
  }, 180_000);
  afterAll(async () => {
    expect(await headend?.stop()).toBe(0);
  });

  const processes = async () => (await headend.call<Processes>("operator", "GET", "/local/processes")).body.bridges;
  const pidOf = async (name: string) => (await processes()).find((bridge) => bridge.name === name)?.pid;
  const another = (name: string, pid: number | undefined, withinMs: number) =>
    until(withinMs, `another ${name}`, async () => {
      const now = await pidOf(name);
      return now !== undefined && now !== pid ? now : undefined;
    });

  it("loses nothing: every task is done once, no invocation counter is used again", async () => {
    const now = Math.floor(Date.now() / 1000) * 1000;
    const { status, body: job } = await headend.call<JobView>("operator", "POST", "/jobs", {
      operation: {
        kind: "readIntervals",
        range: { from: new Date(now - DAY).toISOString(), to: new Date(now).toISOString() },
        registers: "total",
      },
      target: { kind: "all" },
    });
    expect(status).toBe(202);
    const done = (least: number) =>
      until(60_000, `${least} meters to be read`, async () => {
        const { body } = await headend.call<JobView>("operator", "GET", `/jobs/${job.jobId}`);
        return body.progress !== undefined && body.progress.done >= least ? body.progress.done : undefined;
      });
    const [killed, drained] = (await processes()).map(({ name, pid }) => ({ name, pid }));
    if (killed === undefined || drained === undefined) throw new Error("expected two bridges");

    expect(await done(50), "the kill comes in the middle").toBeLessThan(METERS);
    process.kill(killed.pid, "SIGKILL");
    await another(killed.name, killed.pid, 10_000);
    process.kill(drained.pid, "SIGTERM");
    const begun = Date.now();
    await another(drained.name, drained.pid, 110_000); // it ends by itself, then its place is taken
    expect(Date.now() - begun).toBeLessThan(110_000);

    const end = await headend.jobEnd(job.jobId, 240_000);
    expect(end.progress).toMatchObject({ open: 0, done: METERS, failed: 0, expired: 0, cancelled: 0 });
    expect((await headend.call<Witness>("operator", "GET", "/local/witness")).body.violations).toEqual([]);
  }, 420_000);
});
