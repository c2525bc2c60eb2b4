import { describe, expect, it } from "vitest";
import { driverRegistry } from "../../shared/bridge/driver-registry.ts";
import { dlmsDriver } from "../../shared/dlms/driver.ts";
import { countSlots, slotReason, slotState } from "../../shared/jobs/slots.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import { MeterKeys } from "../../shared/metering/meter-keys.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { seeded } from "../../shared/ports/random.ts";
import type { FaultShares } from "../../shared/simulator/faults.ts";
import { SimulatedMeter } from "../../shared/simulator/meter.ts";
import { dialMeter } from "../../shared/simulator/meter-link.ts";
import { dlmsPopulation } from "../../shared/simulator/population.ts";
import { type World, world } from "./bridge-world.ts";

const CLIENT = "4852440000000001";
const SEED = 7;

interface Town {
  readonly town: World;
  readonly meters: readonly SimulatedMeter[];
  start(): ReturnType<World["bridge"]>;
}

/** A town of simulated meters, enrolled, behind links without sockets. */
async function simulated(count: number, faults: FaultShares = {}): Promise<Town> {
  const town = await world();
  const plans = dlmsPopulation(nodeCrypto, { meters: count, seed: SEED, faults, clientSystemTitle: CLIENT });
  const ports = { crypto: nodeCrypto, random: seeded("meters"), now: () => town.clock.now() };
  const meters = plans.map((plan) => new SimulatedMeter(plan, SEED, ports));
  for (const { index, meterId, profile, systemTitle, enrolled } of plans) {
    await town.access.createAccessItem({
      segment: 3,
      slot: index,
      meterId: MeterId.parse(meterId),
      profile: { name: profile.name, version: profile.version },
      systemTitle,
      routes: [{ kind: "dial", host: "127.0.0.1", port: 1 + index, transport: "tcp" }],
      counterOffset: 0n,
      releasedBase: 0n,
      lastOrder: 0,
      flags: { medical: false, priority: false, moratorium: false },
      ...(Object.keys(enrolled).length === 0 ? {} : { sealedKeys: { blob: new Uint8Array(1), version: 1 } }),
    });
  }
  return {
    town,
    meters,
    start: () =>
      town.bridge({
        drivers: driverRegistry([dlmsDriver]),
        clientSystemTitle: CLIENT,
        vault: {
          open: async ({ meterId }) => MeterKeys.parse(plans.find((plan) => plan.meterId === meterId)?.enrolled),
        },
        dial: ({ port }) => dialMeter(meters[port - 1]!, town.clock),
      }),
  };
}

/** Works until the slice is closed; answers how its slots stand. */
async function finished({ town }: Town): Promise<Uint8Array> {
  for (let passed = 0; passed < 600_000; passed += 1_000) {
    await town.clock.pass(1_000);
    if (passed % 60_000 === 0) await town.sweep();
    const { state, slots } = await town.slice();
    if (state === "closed") return slots;
  }
  throw new Error("the slice is still open after ten minutes");
}
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const lastDay = (town: World) =>
  ({
    kind: "readIntervals",
    range: { from: midnight(town) - 86_400_000, to: midnight(town) },
    registers: "total",
  }) as const;
const midnight = (town: World): number => Math.floor(town.clock.now() / 86_400_000) * 86_400_000;
const repeated = ({ meters }: Town): number[] => meters.flatMap(({ counters }) => [...counters.state.repeated]);

describe("a bridge with the DLMS driver", () => {
  it("reads a day of intervals and the totals of every kind of meter, as their own log has them", async () => {
    const run = await simulated(40);
    const { town, meters } = run;
    const operation = lastDay(town);
    await town.plan({ slots: range(40), operation, passes: 1 });
    const bridge = run.start();
    expect(countSlots(await finished(run))).toMatchObject({ done: 40, failed: 0, open: 0 });
    const reports = town.batches.flatMap(({ tasks }) => tasks);
    for (const meter of meters) {
      const report = reports.find(({ meterId }) => meterId === meter.plan.meterId);
      const { intervals } = meter.truth(operation.range.from, operation.range.to);
      const [read] = report?.intervals ?? [];
      expect(read?.ends).toEqual(intervals.map(({ end }) => end));
      expect(read?.ends).toHaveLength(96);
      expect(report?.registers).toHaveLength(2);
      expect(report?.frameDigest).toMatch(/^[0-9a-f]{64}$/);
    }
    expect(repeated(run)).toEqual([]);
    await town.clock.until(bridge.drain(10_000));
  });

  it("tells each fault by its reason, and reads the others", async () => {
    const faults = { silent: 0.05, "wrong-key": 0.05, drops: 0.05, closed: 0.05, slow: 0.05, "wrong-proof": 0.05 };
    const run = await simulated(60, { ...faults, echo: 0.05, replay: 0.05, "high-counter": 0.05 });
    const { town, meters } = run;
    await town.plan({ slots: range(60), operation: lastDay(town), passes: 1 });
    const bridge = run.start();
    const slots = await finished(run);
    const reasonOf = { silent: "timeout", drops: "interrupted", closed: "unreachable" } as const;
    for (const { plan } of meters) {
      const { fault, index } = plan;
      const stands = [plan.meterId, fault, slotState(slots, index), slotReason(slots, index)];
      const read = fault === undefined || fault === "slow";
      const reason = read ? "none" : fault in reasonOf ? reasonOf[fault as keyof typeof reasonOf] : "auth";
      expect(stands).toEqual([plan.meterId, fault, read ? "done" : "failed", reason]);
    }
    expect(repeated(run)).toEqual([]);
    await town.clock.until(bridge.drain(10_000));
  });

  it("survives being killed again and again: all is read, and no meter sees a counter twice", async () => {
    const run = await simulated(50, { slow: 0.4, drops: 0 });
    const { town } = run;
    await town.plan({ slots: range(50), operation: lastDay(town), passes: 3 });
    for (const after of [3_000, 70_000]) {
      const bridge = run.start();
      await town.clock.pass(after);
      bridge.kill();
    }
    const bridge = run.start();
    expect(countSlots(await finished(run))).toMatchObject({ done: 50, open: 0 });
    expect(repeated(run)).toEqual([]);
    await town.clock.until(bridge.drain(10_000));
  });

  it("goes on above a meter's counter after a restore from an older copy began a new epoch", async () => {
    const run = await simulated(20);
    const { town } = run;
    const copy = town.access.copy();
    await town.plan({ slots: range(20), passes: 1 });
    const first = run.start();
    await finished(run);
    await town.clock.until(first.drain(10_000));

    town.restore(copy);
    town.epoch = 2;
    await town.plan({ slots: range(20), passes: 1, job: "restored".repeat(4) });
    const second = run.start();
    await town.clock.pass(30_000);
    const reports = town.batches.filter(({ job }) => job.startsWith("restored")).flatMap(({ tasks }) => tasks);
    expect(reports.filter(({ outcome }) => outcome.kind === "done")).toHaveLength(20);
    expect(repeated(run)).toEqual([]);
    await town.clock.until(second.drain(10_000));
  });
});
