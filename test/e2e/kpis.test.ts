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
  town = await Deployment.start([
    "--meters",
    String(METERS),
    "--faults",
    "silent=0.1",
    "--context",
    "fleetFilesAbove=20",
  ]);
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

  it("the mix is that of the fleet file, with the firmware that meters said, once that has come to rest", async () => {
    const mix = await until(240_000, "a fleet file", async () => {
      const { mix: now } = await kpis();
      return Object.keys(now?.kinds.firmware ?? {}).some((name) => name !== "none") ? now : undefined;
    });
    const meters = (kind: string) => Object.values(mix.kinds[kind] ?? {}).reduce((sum, of) => sum + of, 0);
    expect([meters("profile"), meters("keyVersion"), meters("firmware")]).toEqual([METERS, METERS, METERS]);
    expect(mix.kinds.firmware?.["generic-eu HRS-2.4.1"]).toBeGreaterThan(0);
  }, 260_000);

  it("a job by a query takes its meters from the fleet files, and looks at each once more", async () => {
    const filter = {
      kind: "all",
      of: [
        { kind: "firmware", startsWith: "HRS-" },
        { kind: "not", of: { kind: "group", in: ["left-out"] } },
      ],
    };
    const saved = await town.call("analyst", "POST", "/queries", { name: "by-firmware", filter });
    expect(saved.status).toBe(201);
    const { body: found } = await town.call<{ asOf: string; rows: readonly { meterId: string; firmware: string }[] }>(
      "analyst",
      "GET",
      "/queries/by-firmware/rows?limit=100",
    );
    expect(found.asOf).toBe((await kpis()).mix?.asOf); // as old as the file, not as the directory
    expect(new Set(found.rows.map(({ firmware }) => firmware))).toEqual(new Set(["HRS-2.4.1"]));
    const [one] = found.rows;
    // No file says yet that this one is not to be asked.
    await town.call("operator", "PUT", "/groups/left-out", { add: [one?.meterId] });
    const job = await closed({ operation: { kind: "readRegisters" }, target: { kind: "query", query: "by-firmware" } });
    expect(job.progress).toMatchObject({ done: found.rows.length - 1, failed: 1 });
    const { body: failed } = await town.call<{ tasks: readonly { meterId: string; reason: string }[] }>(
      "analyst",
      "GET",
      `/jobs/${job.jobId}/tasks?state=failed`,
    );
    expect(failed.tasks).toMatchObject([{ meterId: one?.meterId, reason: "no-match" }]);
  }, 160_000);

  it("a meter that takes another one's place is asked, and the one before no more; one retires without", async () => {
    const silent = await listed("list=silent&window=week");
    const { body } = await town.call<{
      meters: readonly { meterId: string; profile: { name: string }; routes: unknown }[];
    }>("analyst", "GET", "/meters?limit=100");
    const open = body.meters.filter(
      ({ meterId, profile }) => profile.name === "generic-eu-public" && !silent.includes(meterId),
    );
    const [old, other] = open;
    if (old === undefined) throw new Error("expected a meter without keys");
    const at = new Date(Math.floor(Date.now() / 1000) * 1000 - 5_000).toISOString();
    const finalReads = [{ measurement: "energy.active.import.total", value: "4711", scaler: 0 }];
    const meter = {
      meterId: "M-NEW",
      commodity: "electric",
      serial: "S-NEW",
      profile: "generic-eu-public",
      routes: old.routes,
      servicePoint: "SP-1",
    };
    const exchange = { at, reason: "display broken", finalReads, meter };
    expect((await town.call("administrator", "POST", `/meters/${old.meterId}/exchange`, exchange)).status).toBe(201);
    const read = { operation: { kind: "readRegisters" } };
    const job = await closed({ ...read, target: { kind: "meters", meterIds: ["M-NEW"] } });
    expect(job.progress.done).toBe(1);
    const refused = await town.call("analyst", "POST", "/jobs", {
      ...read,
      target: { kind: "meters", meterIds: [old.meterId] },
    });
    expect(refused.status).toBe(404);
    const from = new Date(Date.parse(at) - 3_600_000).toISOString();
    const { body: point } = await town.call<{ meters: readonly object[] }>(
      "analyst",
      "GET",
      `/service-points/SP-1/readings?from=${from}`,
    );
    expect(point.meters).toMatchObject([
      { meterId: old.meterId, retiredAt: at, snapshots: [{ kind: "removal", registers: [{ value: "4711" }] }] },
      { meterId: "M-NEW", installedAt: at },
    ]);
    const gone = other?.meterId ?? "M-NEW";
    const retired = await town.call("administrator", "POST", `/meters/${gone}/retirement`, {
      at: new Date(Math.floor(Date.now() / 1000) * 1000).toISOString(),
      reason: "house was pulled down",
    });
    expect(retired).toMatchObject({ status: 201, body: { outcome: "retired" } });
    expect((await kpis()).active).toBe(METERS - 1);
  }, 120_000);
});
