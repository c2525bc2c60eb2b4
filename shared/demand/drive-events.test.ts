import { describe, expect, it } from "vitest";
import { CALLER, engine, meterRows, T0 } from "../jobs/engine-fixture.ts";
import type { JobId } from "../jobs/job.ts";
import { MeterId } from "../metering/meter.ts";
import type { Stop } from "../switching/authority.ts";
import type { DrEvent } from "./dr-event.ts";
import { beginsAt } from "./dr-event.ts";
import { type DemandPorts, driveEvents } from "./drive-events.ts";
import { memoryDemand } from "./memory-store.ts";
import type { Participation } from "./participation.ts";
import { DEFAULT_BASELINE } from "./program.ts";

const M = (number: number): MeterId => MeterId.parse(`M-${number}`);
const NONE = "none" as JobId;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const START = T0 + HOUR_MS;

async function world(meters = 4) {
  const of = engine(meterRows([0], meters));
  const demand = memoryDemand();
  const reports: (readonly Participation[])[] = [];
  const rules: { stops: Stop[] } = { stops: [] };
  const ports: DemandPorts = {
    ...of.ports,
    authority: async () => rules,
    orders: { acceptOrder: async () => true },
    demand,
    // 400 W always; the controlled load of the event's hours is 100 W of it.
    curve: async (_place, from, to) => {
      const curve = new Map<number, number>();
      let wh = 0;
      for (let end = Math.ceil(from / 900_000) * 900_000; end <= to; end += 900_000) {
        wh += end > START && end <= START + 2 * HOUR_MS ? 75 : 100;
        curve.set(end, wh);
      }
      return curve;
    },
    onMeasured: async (_event, _program, entries) => void reports.push(entries),
  };
  await demand.createProgram({
    programId: "heat",
    name: "Heat",
    baseline: DEFAULT_BASELINE,
    targets: [],
    createdAt: T0,
    modifiedAt: T0,
  });
  for (let number = 0; number < meters; number++)
    await demand.putEnrolment({
      programId: "heat",
      meterId: M(number),
      consent: { by: "anna", at: T0, how: "signed form" },
      targets: number % 2 === 0 ? ["even"] : ["odd"],
    });
  const event = (eventId: string, part: Partial<DrEvent> = {}): DrEvent => ({
    eventId,
    programId: "heat",
    phases: [{ from: START, to: START + 2 * HOUR_MS, control: { mode: "off" } }],
    randomSeconds: 0,
    targets: [],
    state: "planned",
    createdAt: T0,
    modifiedAt: T0,
    caller: CALLER,
    version: 1,
    ...part,
  });
  const tick = (now: number) => driveEvents(ports, now);
  /** Of all jobs so far: what each meter was told, in order. */
  const orders = async () => {
    const found: [string, string][] = [];
    for (const { jobId } of await demand
      .waves("cool")
      .then(async (waves) => [...waves, ...(await demand.waves("other"))])) {
      const job = jobId === undefined ? undefined : await ports.ledger.job(jobId);
      if (job?.operation.kind !== "controlLoad" || job.target.kind !== "meters") continue;
      for (const meterId of job.target.meterIds) found.push([meterId, job.operation.control.mode]);
    }
    return found.sort().map(([meterId, mode]) => `${meterId} ${mode}`);
  };
  return { ...of, ports, demand, event, tick, orders, reports, rules };
}

describe("a demand response event", () => {
  it("tells every meter that it is meant for once, in the urgent lane, however often it is looked at", async () => {
    const { demand, event, tick, orders, ports, clock } = await world();
    await demand.createEvent(event("cool", { targets: ["even"] }));
    expect(await tick(START - MINUTE_MS)).toEqual([]);
    for (const now of [START, START, START + MINUTE_MS]) {
      clock.pass(MINUTE_MS);
      await tick(now);
    }
    expect(await orders()).toEqual(["M-0 off", "M-2 off"]);
    const [wave] = await demand.waves("cool");
    const job = await ports.ledger.job(wave?.jobId ?? NONE);
    expect(job).toMatchObject({ lane: "urgent", operation: { control: { mode: "off", until: START + 2 * HOUR_MS } } });
  });

  it("asks for the job of a wave that an interrupted tick has written, and no second one", async () => {
    const { demand, event, tick, ports } = await world();
    await demand.createEvent(event("cool"));
    const broken = { ...ports, ledger: { ...ports.ledger, createJob: () => Promise.reject(new Error("gone")) } };
    await expect(driveEvents(broken, START)).rejects.toThrow("gone");
    expect(await demand.waves("cool")).toHaveLength(1);
    await tick(START + MINUTE_MS);
    await tick(START + 2 * MINUTE_MS);
    const waves = await demand.waves("cool");
    expect(waves).toHaveLength(1);
    expect(waves[0]?.jobId).toBeDefined();
  });

  it("two ticks at once make the same waves once", async () => {
    const { demand, event, tick } = await world();
    await demand.createEvent(event("cool"));
    await Promise.all([tick(START), tick(START)]);
    await tick(START + MINUTE_MS);
    const told = (await demand.waves("cool")).flatMap(({ meterIds }) => meterIds).sort();
    expect(told).toEqual(["M-0", "M-1", "M-2", "M-3"]);
  });

  it("begins for each meter at its own time within the random window", async () => {
    const { demand, event, tick, orders } = await world(40);
    const one = event("cool", { randomSeconds: 600 });
    await demand.createEvent(one);
    const begins = Array.from({ length: 40 }, (_, number) => beginsAt(one, M(number)));
    expect(Math.max(...begins) - Math.min(...begins)).toBeGreaterThan(300_000);
    await tick(START + 300_000);
    expect((await orders()).length).toBe(begins.filter((at) => at <= START + 300_000).length);
    await tick(START + 601_000);
    expect((await orders()).length).toBe(40);
  });

  it("releases what it told when it is cancelled, and only that", async () => {
    const { demand, event, tick, orders } = await world();
    await demand.createEvent(event("cool", { targets: ["odd"] }));
    await tick(START);
    const was = await demand.event("cool");
    if (was === undefined) throw new Error("expected the event");
    await demand.writeEvent(was, { state: "cancelled" });
    await tick(START + MINUTE_MS);
    await tick(START + 2 * MINUTE_MS);
    expect(await orders()).toEqual(["M-1 off", "M-1 release", "M-3 off", "M-3 release"]);
    await tick(START + 3 * HOUR_MS);
    expect(await demand.openEvents()).toEqual([]);
  });

  it("releases a meter whose customer leaves, and tells it no more; one that left before is never told", async () => {
    const { demand, event, tick, orders } = await world();
    await demand.createEvent(event("cool"));
    await demand.putOptOut("cool", M(3), T0);
    await tick(START);
    await demand.putOptOut("cool", M(0), START + 1);
    const enrolment = await demand.enrolment("heat", M(1));
    if (enrolment !== undefined) await demand.putEnrolment({ ...enrolment, optedOutAt: START + 1 });
    await tick(START + MINUTE_MS);
    await tick(START + 2 * MINUTE_MS);
    expect(await orders()).toEqual(["M-0 off", "M-0 release", "M-1 off", "M-1 release", "M-2 off"]);
  });

  it("tells nobody anything while a stop stands, and lets go under a stop of opening; lifted, it goes on", async () => {
    const { demand, event, tick, orders, rules } = await world(2);
    const stop = { stopId: "s1", reason: "a test", by: { id: "anna" }, at: T0 };
    await demand.createEvent(event("cool"));
    rules.stops = [{ ...stop, acts: "opening" }];
    await tick(START);
    expect(await orders()).toEqual([]);
    rules.stops = [{ ...stop, acts: "switching", feeder: "F-9" }];
    await tick(START + MINUTE_MS);
    expect(await orders()).toEqual(["M-0 off", "M-1 off"]);
    await demand.putOptOut("cool", M(0), START + MINUTE_MS);
    rules.stops = [{ ...stop, acts: "switching" }];
    await tick(START + 2 * MINUTE_MS);
    expect(await orders()).toEqual(["M-0 off", "M-1 off"]);
    rules.stops = [{ ...stop, acts: "opening" }];
    await tick(START + 3 * MINUTE_MS);
    expect(await orders()).toEqual(["M-0 off", "M-0 release", "M-1 off"]);
  });

  it("gives way to a stronger one, and goes on after it", async () => {
    const { demand, event, tick, orders } = await world(1);
    await demand.createEvent(event("cool", { priority: 5 }));
    const limit = { mode: "limit", watts: 500 } as const;
    const [from, to] = [START + 30 * MINUTE_MS, START + 60 * MINUTE_MS];
    await demand.createEvent(event("other", { priority: 1, phases: [{ from, to, control: limit }] }));
    for (let now = START; now < START + 2 * HOUR_MS; now += MINUTE_MS) await tick(now);
    expect(await orders()).toEqual(["M-0 limit", "M-0 off", "M-0 off"]);
  });

  it("is measured against the mean of the days before, once its intervals were read", async () => {
    const { demand, event, tick, ports, reports } = await world(2);
    await demand.createEvent(event("cool"));
    await tick(START);
    const end = START + 2 * HOUR_MS;
    await tick(end);
    expect((await demand.event("cool"))?.state).toBe("ended");
    await tick(end + HOUR_MS + 3 * MINUTE_MS);
    const { readJob = NONE } = (await demand.event("cool")) ?? {};
    const job = await ports.ledger.job(readJob);
    expect(job?.operation).toMatchObject({ kind: "readIntervals", range: { to: end + HOUR_MS } });
    if (job?.operation.kind !== "readIntervals") throw new Error("expected a read");
    expect(job.operation.range.from).toBeLessThanOrEqual(START - 5 * DAY_MS - HOUR_MS);
    await tick(end + HOUR_MS + 4 * MINUTE_MS);
    expect((await demand.event("cool"))?.state).toBe("ended");
    await ports.ledger.moveJob(job.jobId, job.state, { state: "closed", closedAt: T0 });
    await tick(end + HOUR_MS + 5 * MINUTE_MS);
    expect((await demand.event("cool"))?.state).toBe("measured");
    const figures = { baselineWh: 800, actualWh: 600, beforeW: 400, duringW: 300, afterW: 400 };
    // Nobody has carried the orders out in this test: no task ended done.
    const entry = (meterId: string) => ({ meterId, outcome: "failed", ...figures });
    expect(await demand.participation("cool")).toEqual([entry("M-0"), entry("M-1")]);
    expect(reports).toHaveLength(1);
    expect(await demand.openEvents()).toEqual([]);
  });
});
