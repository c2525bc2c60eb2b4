import { describe, expect, it } from "vitest";
import type { Bridge } from "../../shared/bridge/bridge.ts";
import { countSlots, slotReason, slotState } from "../../shared/jobs/slots.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import { type World, world } from "./bridge-world.ts";

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);
/** Lets the bridge work until the slice is closed, at most `ms` of virtual time. */
async function untilClosed(town: World, ms = 600_000): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) {
    await town.clock.pass(500);
    if ((await town.slice()).state === "closed") return;
  }
  throw new Error(`the slice is ${(await town.slice()).state} after ${ms} ms`);
}
const drained = (town: World, bridge: Bridge, graceMs = 30_000) => town.clock.until(bridge.drain(graceMs));
const messages = (town: World): number => Object.values(town.lanes).reduce((sum, { queued }) => sum + queued.length, 0);

describe("a bridge that ends, loses or is refused something", () => {
  it("drains: running sessions end, the rest is planned again, results are out, the message is gone", async () => {
    const town = await world();
    for (const slot of range(0, 400)) await town.meter(slot, {}, { latencyMs: 3_000 });
    await town.plan({ slots: range(0, 400) });
    const bridge = town.bridge();
    await town.clock.pass(5_000);
    const begun = town.clock.now();
    await drained(town, bridge);
    expect(town.clock.now() - begun).toBeLessThan(4_000);
    expect([...town.meters.values()].flatMap(({ dialledAt }) => dialledAt).filter((at) => at > begun)).toEqual([]);
    const { state, slots, generation, lease, uncleanEnds } = await town.slice();
    expect({ state, generation, lease, uncleanEnds }).toEqual({
      state: "planned",
      generation: 2,
      lease: undefined,
      uncleanEnds: 0,
    });
    expect(countSlots(slots).done).toBe([...town.meters.values()].reduce((sum, { dials }) => sum + dials, 0));
    expect(messages(town)).toBe(0);
    expect(bridge.busySessions).toBe(0);
  });

  it("cuts sessions that outlast the grace of a drain, and says nothing about their meters", async () => {
    const town = await world();
    await town.meter(0, {}, { latencyMs: 100_000 });
    await town.meter(1);
    await town.plan({ slots: [0, 1] });
    const bridge = town.bridge();
    await town.clock.pass(3_000);
    await drained(town, bridge, 20_000);
    const { state, slots } = await town.slice();
    expect(state).toBe("planned");
    expect([0, 1].map((slot) => [slotState(slots, slot), slotReason(slots, slot)])).toEqual([
      ["open", "none"],
      ["done", "none"],
    ]);
    expect(town.batches.flatMap(({ tasks }) => tasks)).toHaveLength(1);
  });

  it("abandons a slice that somebody else has taken, and still reports what it read", async () => {
    const town = await world();
    for (const slot of range(0, 400)) await town.meter(slot, {}, { latencyMs: 5_000 });
    await town.plan({ slots: range(0, 400) });
    const bridge = town.bridge();
    await town.clock.pass(12_000);
    const was = await town.slice();
    await town.ledger.writeSlice(was, {
      ...was,
      generation: 9,
      lease: { owner: "another", until: town.clock.now() + 3_600_000 },
    });
    await town.clock.pass(30_000);
    expect(town.outcomes.map(({ outcome }) => outcome.end)).toEqual([{ kind: "lost", stop: "lost" }]);
    const reports = town.batches.flatMap(({ tasks }) => tasks);
    expect(reports).toHaveLength([...town.meters.values()].reduce((sum, { dials }) => sum + dials, 0));
    expect(town.batches.every(({ passOver }) => !passOver)).toBe(true);
    expect((await town.slice()).lease?.owner).toBe("another");
    await drained(town, bridge);
  });

  it("loses nothing when the results queue is away for some seconds", async () => {
    const town = await world();
    for (const slot of range(0, 10)) await town.meter(slot);
    await town.plan({ slots: range(0, 10) });
    town.resultQueueFails = 4;
    const bridge = town.bridge();
    await untilClosed(town);
    expect(countSlots((await town.slice()).slots).done).toBe(10);
    await drained(town, bridge);
  });

  it("leaves a message that nobody understands to the dead-letter queue", async () => {
    const town = await world();
    town.lanes.bulk.send('{"v":1,"job":"?"}');
    town.lanes.bulk.send("not json");
    const bridge = town.bridge();
    await town.clock.pass(12_000);
    expect(town.lanes.bulk.queued.every(({ receives }) => receives >= 10)).toBe(true);
    expect(town.poison.length).toBeGreaterThanOrEqual(20);
    await drained(town, bridge);
  });

  it("takes no work while its clock is wrong", async () => {
    const town = await world();
    const meter = await town.meter(0);
    await town.plan();
    let right = false;
    const bridge = town.bridge({ mayReceive: () => right });
    await town.clock.pass(30_000);
    expect(meter.dials).toBe(0);
    right = true;
    await untilClosed(town);
    expect(meter.dials).toBe(1);
    await drained(town, bridge);
  });

  it("is killed in the middle: another takes over, no task is lost, no counter is used twice", async () => {
    const town = await world();
    for (const slot of range(0, 600))
      await town.meter(slot, {}, { latencyMs: 2_000, script: slot % 7 === 0 ? ["drops"] : [] });
    await town.plan({ slots: range(0, 600) });
    const first = town.bridge();
    await town.clock.pass(9_000);
    first.kill();
    const second = town.bridge();
    await untilClosed(town, 200_000);
    const { slots, uncleanEnds, generation } = await town.slice();
    expect(countSlots(slots)).toMatchObject({ done: 600, open: 0, failed: 0 });
    expect({ uncleanEnds, generation }).toEqual({ uncleanEnds: 1, generation: 2 });
    expect(town.repeated).toEqual([]);
    expect([...town.counters.values()].every((used) => used.size >= 4)).toBe(true);
    await drained(town, second);
  });

  it("never uses a counter twice when two jobs read the same meters on two bridges at once", async () => {
    const town = await world();
    for (const slot of range(0, 60))
      await town.meter(slot, {}, { latencyMs: 300, script: slot % 5 === 0 ? ["drops"] : [] });
    await town.plan({ slots: range(0, 60) });
    await town.plan({ slots: range(0, 60), job: "y".repeat(26), lane: "urgent" });
    const bridges = [town.bridge(), town.bridge()];
    await town.clock.pass(60_000);
    expect(town.repeated.filter((what) => !what.includes("two sessions"))).toEqual([]);
    for (const bridge of bridges) await drained(town, bridge);
  });

  it("refuses an effect of class once to a driver that knows none, and sends nothing", async () => {
    const town = await world();
    await town.meter(0);
    const slice = await town.plan({ lane: "interactive", operation: { kind: "resetDemand" } });
    const bridge = town.bridge();
    await untilClosed(town);
    expect(town.batches.flatMap(({ tasks }) => tasks)).toMatchObject([
      { meterId: MeterId.parse("meter-0"), outcome: { reason: "unsupported", code: "driver.no-effects" } },
    ]);
    expect(slotState((await town.slice(slice)).slots, 0)).toBe("failed");
    expect((await town.access.read({ segment: 3, slot: 0 }))?.hold).toBeUndefined();
    await drained(town, bridge);
  });

  it("refuses a switch order to the members of a group route, whatever a planner let through, and dials nobody", async () => {
    const town = await world();
    await town.meter(0);
    await town.meter(1);
    const operation = { kind: "operateSwitch", to: "open" } as const;
    const target = { kind: "groupRoute", route: "north" } as const;
    const slice = await town.plan({ slots: [0, 1], operation, target });
    const bridge = town.bridge();
    await untilClosed(town);
    const refusal = { reason: "unsafe", code: "group.not-authorised", retry: "never" };
    expect(town.batches.flatMap(({ tasks }) => tasks).map(({ outcome }) => outcome)).toMatchObject([refusal, refusal]);
    expect(slotState((await town.slice(slice)).slots, 1)).toBe("failed");
    expect([...town.meters.values()].flatMap(({ dialledAt }) => dialledAt)).toEqual([]);
    await drained(town, bridge);
  });
});
