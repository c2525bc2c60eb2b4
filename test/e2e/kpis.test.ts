import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Kpis } from "../../shared/api/kpis.ts";
import { Deployment, until } from "./deployment.ts";

interface JobView {
  readonly jobId: string;
  readonly state: string;
  readonly progress: { readonly done: number; readonly failed: number };
}
interface MeterView {
  readonly facts?: { readonly contactAt?: string; readonly switch?: { readonly position: string } };
}

const METERS = 40;
let town: Deployment;
beforeAll(async () => {
  town = await Deployment.start(["--meters", String(METERS), "--faults", "silent=0.1"]);
}, 150_000);
afterAll(() => town?.stop());

async function closed(body: object): Promise<JobView> {
  const { body: accepted } = await town.call<JobView>("operator", "POST", "/jobs", body);
  return until(150_000, "the job to be closed", async () => {
    const { body: job } = await town.call<JobView>("analyst", "GET", `/jobs/${accepted.jobId}`);
    return job.state === "closed" ? job : undefined;
  });
}
const kpis = async () => (await town.call<Kpis>("analyst", "GET", "/kpis")).body;
const listed = async (query: string): Promise<readonly string[]> => {
  const { body } = await town.call<{ meters: readonly { meterId: string }[] }>(
    "analyst",
    "GET",
    `/kpis/meters?limit=100&${query}`,
  );
  return body.meters.map(({ meterId }) => meterId);
};

describe("key figures of a deployment", () => {
  it("after a read of all meters, the communication rate is the share of tasks that were done", async () => {
    expect(await kpis()).toMatchObject({ active: METERS, exceptions: [], latency: { meters: 0 } });
    const { progress } = await closed({
      operation: { kind: "readRegisters" },
      target: { kind: "all" },
      retry: { passes: 1, backoffSeconds: 1 },
    });
    expect(progress).toMatchObject({ done: 36, failed: 4 });
    const now = await kpis();
    const rate = { part: progress.done, of: METERS, rate: progress.done / METERS };
    expect(now.communication).toEqual(
      ["hour", "day", "week"].map((window) => ({ window, all: rate, counted: rate, silent: 4 })),
    );
    expect(now.exceptions).toMatchObject([{ reason: "timeout", meters: 4 }]);
    expect(now.latency.meters).toBe(36);
    const silent = await listed("list=silent&window=hour");
    expect(silent.length).toBe(4);
    expect(await listed("list=failed&reason=timeout")).toEqual(silent);
    expect(await listed("list=failed&reason=auth")).toEqual([]);
  }, 200_000);

  it("a look at a switch is shown with the meter and counted by position", async () => {
    const silent = await listed("list=silent&window=hour");
    const { body } = await town.call<{ meters: readonly { meterId: string; profile: { name: string } }[] }>(
      "analyst",
      "GET",
      "/meters?limit=100",
    );
    const one = body.meters.find(({ meterId, profile }) => profile.name === "generic-eu" && !silent.includes(meterId));
    if (one === undefined) throw new Error("expected a meter with a switch");
    const { meterId } = one;
    const job = await closed({ operation: { kind: "readSwitch" }, target: { kind: "meters", meterIds: [meterId] } });
    expect(job.progress.done).toBe(1);
    const { body: shown } = await town.call<MeterView>("analyst", "GET", `/meters/${meterId}`);
    expect(shown.facts?.switch?.position).toBe("closed");
    expect((await kpis()).switches).toEqual({ closed: 1 });
    expect(await listed("list=switch&position=closed")).toEqual([meterId]);
  }, 100_000);

  it("the mix is that of the fleet file, once the enrolment has come to rest", async () => {
    const mix = await until(240_000, "a fleet file", async () => (await kpis()).mix);
    const meters = (kind: string) => Object.values(mix.kinds[kind] ?? {}).reduce((sum, of) => sum + of, 0);
    expect([meters("profile"), meters("keyVersion")]).toEqual([METERS, METERS]);
  }, 260_000);
});
