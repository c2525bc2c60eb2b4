import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Deployment, type JobView, type Problem, until } from "./deployment.ts";

interface Processes {
  readonly bridges: readonly { readonly pid: number }[];
}
interface Witness {
  readonly violations: readonly unknown[];
  readonly resets: readonly { readonly meterId: string; readonly resets: number }[];
}
interface Readings {
  readonly registers: readonly { readonly measurement: string; readonly value: string; readonly at: string }[];
}
interface Meter {
  readonly meterId: string;
  readonly profile: { readonly name: string };
}

const METERS = 120;
/** The models whose sessions prove keys: no other is reset. */
const RESETTABLE = ["generic-eu", "generic-eu-general"];
const RESET = { kind: "resetDemand" };
const DEMAND = "demand.active.import.max";

describe("the demand of a group", () => {
  let headend: Deployment;
  const call = <Body>(role: string, method: string, path: string, body?: unknown) =>
    headend.call<Body>(role, method, path, body);
  const witness = async (): Promise<Witness> => (await call<Witness>("operator", "GET", "/local/witness")).body;
  beforeAll(async () => {
    headend = await Deployment.start(["--meters", String(METERS), "--protocols", "dlms=1"]);
  }, 180_000);
  afterAll(async () => {
    expect(await headend.stop()).toBe(0);
  });

  it("is reset by whoever may give orders, with a reason, and by nobody else", async () => {
    const order = { operation: RESET, target: { kind: "all" } };
    const unasked = await call<Problem>("analyst", "POST", "/jobs", { ...order, reason: "why not" });
    expect(unasked.status).toBe(403);
    const unreasoned = await call<Problem>("operator", "POST", "/jobs", order);
    expect(unreasoned.status).toBe(422);
    expect(unreasoned.body.errors).toMatchObject([{ field: "reason" }]);
    expect((await witness()).resets).toEqual([]);
  });

  it("is reset exactly once a meter though the bridge is killed in the middle; what it was is stored", async () => {
    const meters: Meter[] = [];
    for (let cursor: string | undefined; ; ) {
      const page = await call<{ meters: Meter[]; cursor?: string }>(
        "operator",
        "GET",
        `/meters?limit=100${cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      meters.push(...page.body.meters);
      cursor = page.body.cursor;
      if (cursor === undefined) break;
    }
    expect(meters).toHaveLength(METERS);
    const resettable = meters.filter(({ profile }) => RESETTABLE.includes(profile.name)).map(({ meterId }) => meterId);
    const others = meters.filter(({ profile }) => !RESETTABLE.includes(profile.name)).slice(0, 3);
    const group = { add: [...resettable, ...others.map(({ meterId }) => meterId)] };
    const made = await call("administrator", "PUT", "/groups/billing", group);
    expect(made.status).toBeLessThan(300);

    const order = {
      operation: RESET,
      target: { kind: "group", group: "billing" },
      reason: "end of the billing period",
    };
    const accepted = await call<JobView>("supervisor", "POST", "/jobs", order);
    expect(accepted.status).toBe(202);
    const { jobId } = accepted.body;
    const processes = async () => (await call<Processes>("operator", "GET", "/local/processes")).body;
    const [first] = (await processes()).bridges;
    await until(60_000, "some meters to be reset", async () =>
      (await witness()).resets.length >= 5 ? true : undefined,
    );
    process.kill(first?.pid ?? 0, "SIGKILL");
    const seen = (await witness()).resets.length;
    expect(seen, "the kill comes in the middle").toBeLessThan(resettable.length);

    const end = await headend.jobEnd(jobId, 300_000);
    expect(end.progress).toMatchObject({ open: 0, done: resettable.length, failed: others.length, expired: 0 });
    expect(end.progress.reasons).toMatchObject({ unsupported: others.length });
    const { resets, violations } = await witness();
    expect(violations).toEqual([]);
    expect(resets.map(({ meterId }) => meterId).sort()).toEqual([...resettable].sort());
    expect(resets.filter(({ resets: times }) => times !== 1)).toEqual([]);

    const [meterId = ""] = resettable;
    const readings = await call<Readings>("operator", "GET", `/meters/${meterId}/readings`);
    const stored = readings.body.registers.filter(({ measurement }) => measurement === DEMAND);
    expect(stored).toHaveLength(1);
    expect(BigInt(stored[0]?.value ?? "0")).toBeGreaterThan(0n);
  }, 400_000);

  it("of one meter is reset in the interactive lane, and then shows less than before", async () => {
    const { resets } = await witness();
    const meterId = resets[0]?.meterId ?? "";
    const target = { kind: "meters", meterIds: [meterId] };
    const end = await headend.runJob({ operation: RESET, target, reason: "asked for by the customer" });
    expect(end.progress).toMatchObject({ done: 1, failed: 0 });
    expect((await witness()).resets.find((meter) => meter.meterId === meterId)?.resets).toBe(2);
    const read = { kind: "readRegisters", measurements: [DEMAND] };
    await headend.runJob({ operation: read, target });
    const readings = await call<Readings>("operator", "GET", `/meters/${meterId}/readings`);
    const values = readings.body.registers
      .filter(({ measurement }) => measurement === DEMAND)
      .map(({ value }) => Number(value));
    expect(Math.min(...values)).toBe(0);
  }, 120_000);
});
