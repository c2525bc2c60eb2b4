import { describe, expect, it } from "vitest";
import { Job, JobId } from "../jobs/job.ts";
import { PROFILES } from "../metering/profiles/catalogue.ts";
import type { Clock } from "../ports/clock.ts";
import { jobWatch, runs } from "./job-watch.ts";
import { cachedProfiles } from "./profiles.ts";

function clockAt(): Clock & { at: number } {
  const clock = { at: 0, now: () => clock.at, sleep: async () => undefined };
  return clock;
}
const profile = PROFILES.get("generic-eu");

describe("device profiles", () => {
  it("are looked up once, however many ask at once, and kept", async () => {
    let looks = 0;
    const clock = clockAt();
    const source = cachedProfiles(async () => {
      looks++;
      return profile;
    }, clock);
    expect(await Promise.all([source("generic-eu", 1), source("generic-eu", 1)])).toEqual([profile, profile]);
    clock.at = 86_400_000;
    expect(await source("generic-eu", 1)).toBe(profile);
    expect(looks).toBe(1);
    await source("generic-eu", 2);
    expect(looks).toBe(2);
  });

  it("that are unknown, or could not be looked up, are looked up again", async () => {
    const answers = [async () => Promise.reject(new Error("throttled")), async () => undefined, async () => profile];
    const clock = clockAt();
    const source = cachedProfiles(async () => answers.shift()?.(), clock);
    await expect(source("generic-eu", 1)).rejects.toThrow("throttled");
    expect(await source("generic-eu", 1)).toBeUndefined();
    clock.at = 9_999;
    expect(await source("generic-eu", 1)).toBeUndefined();
    clock.at = 10_000;
    expect(await source("generic-eu", 1)).toBe(profile);
  });
});

describe("the watch on jobs", () => {
  const jobId = JobId.parse("a".repeat(26));
  const job = (state: string) =>
    Job.parse({
      jobId,
      operation: { kind: "readRegisters" },
      target: { kind: "all" },
      lane: "bulk",
      state,
      createdAt: 0,
      deadline: 1,
      retry: { passes: 1, backoffSeconds: 1 },
      caller: { id: "c", roles: [] },
    });

  it("answers what was true at most two seconds ago, with one look-up for all slices", async () => {
    const clock = clockAt();
    const states = ["running", "cancelling"];
    let looks = 0;
    const watch = jobWatch({ job: async () => job(states[looks++] ?? "closed") }, clock);
    expect(runs(await watch.job(jobId))).toBe(true);
    clock.at = 1_999;
    expect(runs((await Promise.all([watch.job(jobId), watch.job(jobId)]))[1])).toBe(true);
    expect(looks).toBe(1);
    clock.at = 2_000;
    expect(runs(await watch.job(jobId))).toBe(false);
  });

  it("does not keep a failed look-up", async () => {
    const answers = [async () => Promise.reject(new Error("throttled")), async () => job("running")];
    const watch = jobWatch({ job: async () => answers.shift()?.() }, clockAt());
    await expect(watch.job(jobId)).rejects.toThrow("throttled");
    expect(runs(await watch.job(jobId))).toBe(true);
  });

  it.each(["paused", "cancelling", "closed"])("says that a job that is %s does not run", (state) =>
    expect(runs(job(state))).toBe(false),
  );
});
