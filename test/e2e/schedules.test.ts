import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Deployment, until } from "./deployment.ts";

interface JobRow {
  readonly jobId: string;
  readonly state: string;
  readonly schedule?: { readonly scheduleId: string; readonly runAt: string };
  readonly progress?: Readonly<Record<"open" | "done" | "failed", number>>;
}
interface ScheduleView {
  readonly enabled: boolean;
  readonly nextRunAt?: string;
  readonly lastRunAt?: string;
  readonly changed?: { readonly action: string; readonly reason?: string };
}

const METERS = 20;
let town: Deployment;
beforeAll(async () => {
  // The schedule's clock runs twice as fast: its minutes are half as long; queues, leases and sockets keep real time.
  town = await Deployment.start(["--meters", String(METERS)], {
    HEADRACE_CLOCK: `${new Date().toISOString()}*2`,
  });
}, 150_000);
afterAll(() => town?.stop());

const runsOf = async (scheduleId: string): Promise<readonly JobRow[]> => {
  const { body } = await town.call<{ jobs: readonly JobRow[] }>("analyst", "GET", "/jobs?limit=100");
  return body.jobs.filter(({ schedule }) => schedule?.scheduleId === scheduleId);
};
const read = async (scheduleId: string): Promise<ScheduleView> =>
  (await town.call<ScheduleView>("analyst", "GET", `/schedules/${scheduleId}`)).body;

describe("a schedule of one minute", () => {
  it("reads a group by itself, run after run, and no more once it is paused", async () => {
    const made = await town.call<ScheduleView>("analyst", "POST", "/schedules", {
      scheduleId: "each-minute",
      name: "each minute",
      operation: { kind: "readRegisters" },
      target: { kind: "group", group: "town" },
      cron: "* * * * *",
      timeZone: "Europe/Vienna",
    });
    expect(made.status).toBe(201);
    const preview = await town.call<{ runs: readonly { runsAt: string }[] }>(
      "operator",
      "GET",
      "/schedules/each-minute/runs?count=2",
    );
    expect(preview.body.runs[0]?.runsAt).toBe(made.body.nextRunAt);

    const done = await until(120_000, "two runs to be done", async () => {
      const closed = (await runsOf("each-minute")).filter(({ state }) => state === "closed");
      return closed.length >= 2 ? closed : undefined;
    });
    for (const { progress } of done) expect(progress).toMatchObject({ done: METERS, open: 0, failed: 0 });
    const at = done.map(({ schedule }) => Date.parse(schedule?.runAt ?? "")).sort();
    expect(at).toEqual([...new Set(at)]);
    for (const [index, instant] of at.entries()) if (index > 0) expect(instant - (at[index - 1] ?? 0)).toBe(60_000);

    const paused = await town.call("analyst", "POST", "/schedules/each-minute/pause", { reason: "seen enough" });
    expect(paused.status).toBe(200);
    const before = (await runsOf("each-minute")).length;
    expect(await read("each-minute")).toMatchObject({
      enabled: false,
      changed: { action: "paused", reason: "seen enough" },
    });
    await new Promise((resolve) => setTimeout(resolve, 35_000)); // more than a minute of the schedule's clock
    expect((await runsOf("each-minute")).length).toBe(before);
    expect((await read("each-minute")).nextRunAt).toBeUndefined();
  }, 200_000);
});
