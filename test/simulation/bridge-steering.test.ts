import { describe, expect, it } from "vitest";
import { pauseJob, resumeJob } from "../../shared/jobs/pause-job.ts";
import { countSlots, slotReason, slotsIn } from "../../shared/jobs/slots.ts";
import { world } from "./bridge-world.ts";

const ANNA = { by: { id: "anna" } };

describe("a bridge", () => {
  it("dials nobody from two seconds after the pause on, gives the slice back, and ends it once resumed", async () => {
    const town = await world();
    const slots = Array.from({ length: 600 }, (_, slot) => slot);
    for (const slot of slots) await town.meter(slot);
    const { jobId } = await town.plan({ slots });
    await town.ledger.moveJob(jobId, "running", { state: "running", slices: 1, tasks: 600 });
    const bridge = town.bridge();
    const dials = () => [...town.meters.values()].reduce((sum, meter) => sum + meter.dials, 0);
    while (dials() < 50) await town.clock.pass(5);
    await pauseJob({ ledger: town.ledger, clock: town.clock }, jobId, ANNA);
    await town.clock.pass(2_000);
    const seen = dials();
    await town.clock.pass(60_000);
    expect(dials()).toBe(seen);
    expect(seen).toBeLessThan(600);
    const held = await town.slice();
    expect(held).toMatchObject({ state: "planned", generation: 2, uncleanEnds: 0 });
    expect(countSlots(held.slots)).toMatchObject({ done: seen, open: 600 - seen });
    const outcome = await resumeJob(
      {
        ledger: town.ledger,
        clock: town.clock,
        lanes: { send: async (lane) => town.send(lane, await town.slice()) },
        planner: { start: async () => undefined },
        targets: { places: async () => new Map(), async *members() {} },
      },
      jobId,
      ANNA,
    );
    expect(outcome).toMatchObject({ kind: "accepted" });
    await town.clock.pass(60_000);
    expect(countSlots((await town.slice()).slots)).toMatchObject({ done: 600, open: 0 });
    expect([...town.meters.values()].every((meter) => meter.dials === 1)).toBe(true);
    await town.clock.until(bridge.drain(30_000));
  });

  it("asks nothing of a meter that has left the job's query since", async () => {
    const town = await world();
    for (const slot of [0, 1, 2]) await town.meter(slot);
    const items = await town.access.readMany(3, [0, 1, 2]);
    const [first] = items;
    if (first === undefined) throw new Error("no meter");
    await town.plan({ slots: [0, 1, 2], filter: { idPrefix: first.meterId } });
    const bridge = town.bridge();
    await town.clock.pass(20_000);
    const { slots } = await town.slice();
    expect(slotsIn(slots, "done")).toEqual([first.slot]);
    const others = slotsIn(slots, "failed");
    expect(others.map((slot) => slotReason(slots, slot))).toEqual(["no-match", "no-match"]);
    expect([...town.meters.values()].reduce((sum, meter) => sum + meter.dials, 0)).toBe(1);
    await town.clock.until(bridge.drain(30_000));
  });

  it("looks at what the access item does not say before the first try of a meter, an order's too, and not again", async () => {
    const town = await world();
    await town.meter(0, {}, { script: ["silent", "silent", "silent"] });
    for (const slot of [1, 2]) await town.meter(slot);
    const looks: number[] = [];
    // The job's own tries change the fact that it asks for: a meter that was tried is not looked at again.
    const bridge = town.bridge((ports) => ({
      ...ports,
      stillMatches: async (_filter, { slot }) => {
        looks.push(slot);
        return slot !== 2 && looks.filter((one) => one === slot).length === 1;
      },
    }));
    await town.plan({ slots: [0, 1, 2], passes: 2, filter: { kind: "lastFailure", known: false } });
    for (let minutes = 0; minutes < 10; minutes++) {
      await town.clock.pass(60_000);
      await town.sweep();
    }
    const { slots } = await town.slice();
    expect(slotsIn(slots, "done")).toEqual([0, 1]);
    expect(slotReason(slots, 2)).toBe("no-match");
    expect(town.meters.get("meter-0")?.dials).toBe(4);
    expect(looks.toSorted()).toEqual([0, 1, 2]);
    await town.clock.until(bridge.drain(30_000));
  });
});
