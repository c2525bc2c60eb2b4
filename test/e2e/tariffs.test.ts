import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CALENDAR } from "../conformance/calendars.ts";
import { Deployment, type JobView, until } from "./deployment.ts";

interface Meter {
  readonly meterId: string;
  readonly profile: { readonly name: string };
  readonly facts?: { readonly clock?: { readonly offsetMs: number } };
}
interface Report {
  readonly digest: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly meters: readonly { readonly meterId: string; readonly standing: string }[];
  readonly cursor?: string;
}
interface Rollout {
  readonly program: { readonly jobId: string };
  readonly proof?: { readonly jobId: string };
}

/** A model of each protocol that has a calendar. */
const MODELS = ["generic-eu", "generic-us"];
const VERSION = "/tariffs/residential/versions/1";
const price = (value: number) => ({ currency: "EUR", value, scaler: -4 });

describe("a tariff", () => {
  let headend: Deployment;
  let target: { readonly kind: "meters"; readonly meterIds: readonly string[] };
  const call = <Body>(role: string, method: string, path: string, body?: unknown) =>
    headend.call<Body>(role, method, path, body);
  const standings = async () => {
    const { body } = await call<Report>("analyst", "GET", `${VERSION}/meters?limit=500`);
    return Object.fromEntries(body.meters.map(({ meterId, standing }) => [meterId, standing]));
  };
  const all = (standing: string) => Object.fromEntries(target.meterIds.map((meterId) => [meterId, standing]));

  beforeAll(async () => {
    headend = await Deployment.start(["--meters", "60"]);
    const { body } = await call<{ meters: Meter[] }>("operator", "GET", "/meters?limit=100");
    const meterIds = MODELS.map((model) => {
      const found = body.meters.find(({ profile }) => profile.name === model);
      if (found === undefined) throw new Error(`the town has no ${model}`);
      return found.meterId;
    });
    target = { kind: "meters", meterIds };
  }, 180_000);
  afterAll(async () => {
    expect(await headend.stop()).toBe(0);
  });

  it("waits on the meters of both protocols until its time, and is proved to count from then on", async () => {
    const content = { calendar: CALENDAR, prices: [1, 2, 3].map((tier) => ({ tier, price: price(1_500 * tier) })) };
    expect((await call("supervisor", "PUT", VERSION, content)).status).toBe(201);
    const activateAt = Math.ceil(Date.now() / 1000) * 1000 + 30_000;
    const rollout = await call<Rollout>("operator", "POST", `${VERSION}/rollouts`, {
      target,
      activateAt: new Date(activateAt).toISOString().replace(".000Z", "Z"),
      reason: "prices of the winter",
    });
    expect(rollout.status).toBe(202);
    const { program, proof } = rollout.body;
    expect((await headend.jobEnd(program.jobId)).progress).toMatchObject({ done: 2, failed: 0 });
    expect((await call<JobView>("operator", "GET", `/jobs/${proof?.jobId}`)).body.state).not.toBe("closed");
    expect(Object.values(await standings())).toEqual(expect.arrayContaining(["pending"]));
    await until(60_000, "its time to come", async () => (Date.now() > activateAt + 2_000 ? true : undefined));
    expect(await standings()).toEqual(all("due"));
    const read = await headend.runJob({ operation: { kind: "readTariff" }, target });
    expect(read.progress).toMatchObject({ done: 2 });
    expect(await standings()).toEqual(all("active"));
  }, 180_000);

  it("shows a critical price at the meter, and none that has ended", async () => {
    const from = Math.floor(Date.now() / 1000) * 1000;
    const send = (until: number) =>
      headend.runJob({
        operation: {
          kind: "sendPrice",
          because: "critical-peak",
          price: price(9_000),
          from: new Date(from - 60_000).toISOString().replace(".000Z", "Z"),
          until: new Date(until).toISOString().replace(".000Z", "Z"),
        },
        target,
        reason: "a cold evening",
      });
    expect((await send(from + 3_600_000)).progress).toMatchObject({ done: 2 });
    expect((await send(from - 1_000)).progress).toMatchObject({ failed: 2, reasons: { refused: 2 } });
  }, 180_000);

  it("is read by meters whose clocks are known and set", async () => {
    const set = await headend.runJob({ operation: { kind: "setClock" }, target, reason: "clocks are kept right" });
    expect(set.progress).toMatchObject({ done: 2 });
    for (const meterId of target.meterIds) {
      const { body } = await call<Meter>("operator", "GET", `/meters/${meterId}`);
      expect(Math.abs(body.facts?.clock?.offsetMs ?? Number.NaN)).toBeLessThan(4_000);
    }
  }, 180_000);
});
