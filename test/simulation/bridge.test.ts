import { describe, expect, it } from "vitest";
import type { Bridge } from "../../shared/bridge/bridge.ts";
import { recall } from "../../shared/bridge/recall.ts";
import { countSlots, slotReason, slotState } from "../../shared/jobs/slots.ts";
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

describe("a bridge", () => {
  it("reads every meter of a slice once, in few batches and with one counter lease, and deletes the message", async () => {
    const town = await world();
    for (const slot of range(0, 300)) await town.meter(slot);
    const { sentAt } = await town.plan({ slots: range(0, 300) });
    const bridge = town.bridge();
    await untilClosed(town);
    const slice = await town.slice();
    expect(countSlots(slice.slots)).toMatchObject({ done: 300, open: 0, failed: 0 });
    expect(messages(town)).toBe(0);
    expect(town.access.mark(3)?.mark).toBe(4096n);
    expect(town.batches.length).toBeLessThanOrEqual(6);
    expect(new Set(town.batches.map(({ batch }) => batch)).size).toBe(town.batches.length);
    expect(town.batches.flatMap(({ tasks }) => tasks)).toHaveLength(300);
    expect(town.batches[0]!.tasks[0]).toMatchObject({
      attempt: 1,
      outcome: { kind: "done" },
      frameDigest: "9f64a747e1b97f131fabb6b447296c9b6f0201e79fb3c5356e6c77e89b6a806a",
      registers: [{ m: "energy.active.import.total", v: 42n, s: 0 }],
    });
    expect([...town.meters.values()].every(({ dials }) => dials === 1)).toBe(true);
    expect(town.repeated).toEqual([]);
    expect(town.outcomes).toMatchObject([
      { lane: "bulk", outcome: { end: { kind: "over" }, facts: { done: 300, tries: 300 } } },
    ]);
    expect(town.watermarks.get("bulk")).toBe(sentAt);
    await drained(town, bridge);
  });

  it("lets the watermark of an empty lane follow the time, so that a purged message is missed", async () => {
    const town = await world();
    const bridge = town.bridge();
    const begun = town.clock.now();
    await town.clock.pass(120_000);
    const watermark = town.watermarks.get("bulk") ?? 0;
    expect(watermark).toBeGreaterThanOrEqual(begun + 30_000);
    expect(watermark).toBeLessThanOrEqual(begun + 120_000);
    await drained(town, bridge);
  });

  it("reports a single interactive task in one message, at once", async () => {
    const town = await world();
    await town.meter(0);
    const { sentAt } = await town.plan({ lane: "interactive" });
    const bridge = town.bridge();
    await untilClosed(town);
    expect(town.batches).toMatchObject([{ lane: "interactive", passOver: true, tasks: [{ slot: 0 }] }]);
    expect(town.batches[0]!.sentAt - sentAt!).toBeLessThan(500);
    await drained(town, bridge);
  });

  it("deletes the message of another generation, of a slice under a live lease, and of one with nothing open", async () => {
    const town = await world();
    const meter = await town.meter(0, {}, { latencyMs: 30_000 });
    const slice = await town.plan();
    town.send("bulk", { ...slice, generation: 2 });
    const bridge = town.bridge();
    await town.clock.pass(5_000);
    town.send("bulk", slice); // delivered twice
    await town.clock.pass(1_000);
    const nothing = town.outcomes.map(({ outcome }) => outcome.end);
    expect(nothing).toEqual([
      { kind: "nothing", why: "another-generation" },
      { kind: "nothing", why: "leased" },
    ]);
    expect(messages(town)).toBe(1);
    await untilClosed(town);
    town.send("bulk", slice);
    await town.clock.pass(1_000);
    expect(town.outcomes.at(-1)?.outcome.end).toEqual({ kind: "nothing", why: "closed" });
    expect(messages(town)).toBe(0);
    expect(meter.dials).toBe(1);
    await drained(town, bridge);
  });

  it("keeps lease and message for as long as a slow meter takes", async () => {
    const town = await world();
    await town.meter(0, {}, { latencyMs: 300_000 });
    await town.plan();
    const bridges = [town.bridge(), town.bridge()];
    await untilClosed(town);
    expect(town.meters.get("meter-0")?.dials).toBe(1);
    expect(town.outcomes.map(({ outcome }) => outcome.end.kind)).toEqual(["over"]);
    for (const bridge of bridges) await drained(town, bridge);
  });

  it("tries three times for what may pass, after about 1 s and 4 s, and leaves the slot open with its reason", async () => {
    const town = await world();
    const silent = await town.meter(0, {}, { script: ["silent", "silent", "silent"] });
    await town.meter(1, {}, { script: ["unreachable", "drops"] });
    await town.meter(2, {}, { script: ["unreachable", "unreachable", "unreachable"] });
    await town.plan({ slots: [0, 1, 2] });
    const bridge = town.bridge();
    await town.clock.pass(60_000);
    const { slots, state, passes } = await town.slice();
    expect({ state, passes }).toEqual({ state: "resting", passes: 1 });
    expect([0, 1, 2].map((slot) => [slotState(slots, slot), slotReason(slots, slot)])).toEqual([
      ["open", "timeout"],
      ["done", "none"],
      ["open", "unreachable"],
    ]);
    const reports = town.batches.flatMap(({ tasks }) => tasks);
    expect(reports.map(({ slot, attempt }) => [slot, attempt]).toSorted()).toEqual([
      [0, 3],
      [1, 3],
      [2, 3],
    ]);
    const [first, second, third] = silent.dialledAt as [number, number, number];
    expect(second - first - 10_100).toBeGreaterThanOrEqual(750);
    expect(second - first - 10_100).toBeLessThan(1_300);
    expect(third - second - 10_100).toBeGreaterThanOrEqual(3_000);
    expect(third - second - 10_100).toBeLessThan(5_100);
    expect(town.repeated).toEqual([]);
    await drained(town, bridge);
  });

  it("calls a meter interrupted that breaks off after it has spoken", async () => {
    const town = await world();
    await town.meter(0, {}, { script: ["drops", "drops", "drops"] });
    await town.plan({ passes: 1 });
    const bridge = town.bridge();
    await untilClosed(town);
    const { slots } = await town.slice();
    expect([slotState(slots, 0), slotReason(slots, 0)]).toEqual(["failed", "interrupted"]);
    await drained(town, bridge);
  });

  it("leaves a held meter alone: busy, without a dial", async () => {
    const town = await world();
    const held = await town.meter(0);
    await town.meter(1);
    await town.access.takeHold(held.item, "command", town.clock.now() + 3_600_000, 0n, town.clock.now());
    await town.plan({ slots: [0, 1] });
    const bridge = town.bridge();
    await town.clock.pass(30_000);
    const { slots } = await town.slice();
    expect([slotState(slots, 0), slotReason(slots, 0)]).toEqual(["open", "busy"]);
    expect(slotState(slots, 1)).toBe("done");
    expect(held.dials).toBe(0);
    await drained(town, bridge);
  });

  it("reads a meter whose hold ends between two tries, under counters above those of the holder", async () => {
    const town = await world();
    const meter = await town.meter(0);
    await town.access.takeHold(meter.item, "command", town.clock.now() + 3_600_000, 0n, town.clock.now());
    await town.plan();
    const bridge = town.bridge();
    await town.clock.pass(300);
    const command = await town.access.leaseCounters(3, 64, 1);
    meter.lastCounter = Number(command.base) + 10;
    await town.access.releaseHold(meter.item, "command", command.base);
    await untilClosed(town);
    expect(meter.dials).toBe(1);
    expect(Math.min(...(town.counters.get("meter-0") ?? []))).toBeGreaterThan(meter.lastCounter - 64);
    expect(town.repeated).toEqual([]);
    await drained(town, bridge);
  });

  it("fails a meter whose slot is empty, or whose profile nobody knows, without the others", async () => {
    const town = await world();
    await town.meter(0);
    await town.meter(1, { profile: { name: "no-such", version: 1 } });
    await town.plan({ slots: [0, 1, 9], passes: 1 });
    const bridge = town.bridge();
    await untilClosed(town);
    const { slots } = await town.slice();
    expect([0, 1, 9].map((slot) => [slotState(slots, slot), slotReason(slots, slot)])).toEqual([
      ["done", "none"],
      ["failed", "unsupported"],
      ["failed", "retired"],
    ]);
    await drained(town, bridge);
  });

  it("waits, beyond its passes, for a meter that holds no connection", async () => {
    const town = await world();
    await town.meter(0);
    await town.meter(1, { routes: [{ kind: "attached" }] });
    await town.plan({ slots: [0, 1], passes: 1 });
    const bridge = town.bridge();
    await town.clock.pass(30_000);
    const slice = await town.slice();
    expect(slice).toMatchObject({ state: "resting", passes: 1 });
    expect([slotState(slice.slots, 0), slotState(slice.slots, 1)]).toEqual(["done", "open"]);
    expect(slotReason(slice.slots, 1)).toBe("route-lost");
    const at = { segment: slice.segment, slot: 1 };
    recall({ clock: town.clock, ledger: town.ledger, onTrouble: (error) => expect(error).toBeUndefined() })(at);
    const before = town.clock.now();
    await town.clock.pass(5_000);
    const called = await town.slice();
    expect(called.nextAttempt).toBeLessThanOrEqual(before + 5_000);
    await town.sweep();
    expect(await town.slice()).toMatchObject({ generation: slice.generation + 1 });
    await drained(town, bridge);
  });

  it("does not let one meter's unusable answer fail its batch", async () => {
    const town = await world();
    await town.meter(0, {}, { script: ["nonsense"] });
    await town.meter(1);
    await town.plan({ slots: [0, 1], passes: 1 });
    const bridge = town.bridge();
    await untilClosed(town);
    const { slots } = await town.slice();
    expect([0, 1].map((slot) => [slotState(slots, slot), slotReason(slots, slot)])).toEqual([
      ["failed", "internal"],
      ["done", "none"],
    ]);
    await drained(town, bridge);
  });

  it("stops dialling within two seconds when the job is cancelled, and gives the slice back", async () => {
    const town = await world();
    for (const slot of range(0, 400)) await town.meter(slot, {}, { latencyMs: 4_000 });
    const slice = await town.plan({ slots: range(0, 400) });
    const bridge = town.bridge();
    await town.clock.pass(6_000);
    const cancelledAt = town.clock.now();
    await town.ledger.moveJob(slice.jobId, "running", { state: "cancelling" });
    await town.clock.pass(20_000);
    const late = [...town.meters.values()]
      .flatMap(({ dialledAt }) => dialledAt)
      .filter((at) => at > cancelledAt + 2_000);
    expect(late).toEqual([]);
    const after = await town.slice();
    expect(after).toMatchObject({ state: "planned", generation: 2 });
    const { done, open } = countSlots(after.slots);
    expect(done).toBe([...town.meters.values()].reduce((sum, { dials }) => sum + dials, 0));
    expect(open).toBe(400 - done);
    expect(messages(town)).toBe(0);
    await drained(town, bridge);
  });

  it("ends the pass at the deadline: no dial after it, and what was tried is told", async () => {
    const town = await world();
    for (const slot of range(0, 400)) await town.meter(slot, {}, { latencyMs: 4_000, script: ["drops"] });
    const deadlineMs = 10_000;
    const { deadline } = await town.plan({ slots: range(0, 400), deadlineMs });
    const bridge = town.bridge();
    await town.clock.pass(30_000);
    expect([...town.meters.values()].flatMap(({ dialledAt }) => dialledAt).filter((at) => at >= deadline)).toEqual([]);
    const { slots, state } = await town.slice();
    expect(state).toBe("resting");
    const tried = [...town.meters.values()].filter(({ dials }) => dials > 0).map(({ item }) => item.slot);
    expect(tried.every((slot) => slotState(slots, slot) !== "open" || slotReason(slots, slot) === "interrupted")).toBe(
      true,
    );
    await drained(town, bridge);
  });

  it("lets a slice rest that is not through in half an hour", async () => {
    const town = await world();
    for (const slot of range(0, 40)) await town.meter(slot, { collector: "slow" }, { latencyMs: 500_000 });
    await town.plan({ slots: range(0, 40), deadlineMs: 86_400_000 });
    const bridge = town.bridge();
    await town.clock.pass(45 * 60_000);
    const { slots, passes } = await town.slice();
    expect(passes).toBe(1);
    expect(countSlots(slots)).toMatchObject({ done: 24, open: 16 });
    expect(town.outcomes[0]?.outcome.end).toEqual({ kind: "over", stop: "overtime" });
    await drained(town, bridge);
  });

  it("delays only its own meters for a slow collector", async () => {
    const town = await world();
    for (const slot of range(0, 100)) await town.meter(slot, { collector: "slow" }, { latencyMs: 10_000 });
    for (const slot of range(100, 200)) await town.meter(slot);
    const begun = town.clock.now();
    await town.plan({ slots: range(0, 200) });
    const bridge = town.bridge();
    await untilClosed(town);
    const direct = [...town.meters.values()].slice(100).flatMap(({ dialledAt }) => dialledAt);
    expect(Math.max(...direct) - begun).toBeLessThan(2_000);
    expect(town.clock.now() - begun).toBeGreaterThanOrEqual(130_000);
    await drained(town, bridge);
  });

  it("gives a single read its session at once while bulk is full", async () => {
    const town = await world();
    for (const slot of range(0, 300)) await town.meter(slot, {}, { latencyMs: 20_000 });
    await town.plan({ slots: range(0, 299) });
    const bridge = town.bridge();
    await town.clock.pass(5_000);
    const asked = town.clock.now();
    await town.plan({ slots: [299], lane: "interactive", job: "z".repeat(26) });
    await town.clock.pass(1_000);
    expect(town.meters.get("meter-299")!.dialledAt[0]! - asked).toBeLessThan(500);
    await drained(town, bridge);
  });

  it("leases again when a meter wants more counters than the lease has", async () => {
    const town = await world();
    await town.meter(0, {}, { script: ["greedy", "greedy"] });
    await town.plan({ passes: 1 });
    const bridge = town.bridge();
    await untilClosed(town);
    expect(slotState((await town.slice()).slots, 0)).toBe("done");
    expect(town.counters.get("meter-0")?.size).toBeGreaterThan(256 + 4_096);
    expect(town.repeated).toEqual([]);
    await drained(town, bridge);
  });

  it("raises the offset of a meter that is ahead, by what a day allows", async () => {
    const town = await world();
    const near = await town.meter(0, {}, { lastCounter: 600_000 });
    const far = await town.meter(1, {}, { lastCounter: 3_900_000_000 });
    await town.plan({ slots: [0, 1], passes: 1 });
    const bridge = town.bridge();
    await untilClosed(town);
    const { slots } = await town.slice();
    expect([0, 1].map((slot) => [slotState(slots, slot), slotReason(slots, slot)])).toEqual([
      ["done", "none"],
      ["failed", "auth"],
    ]);
    const raised = await town.access.read(near.item);
    expect(raised?.counterOffset).toBeGreaterThan(590_000n);
    expect(raised?.offsetFloor).toBeTypeOf("bigint");
    expect((await town.access.read(far.item))?.counterOffset).toBe(0n);
    expect(town.outcomes[0]?.outcome.facts).toMatchObject({ offsetRaises: 1, counterRefusals: 1 });
    expect(town.repeated).toEqual([]);
    await drained(town, bridge);
  });

  it("refuses a meter whose key is worn out", async () => {
    const town = await world();
    const worn = await town.meter(0, { counterOffset: 0xf000_0000n - 100n });
    await town.plan({ passes: 1 });
    const bridge = town.bridge();
    await untilClosed(town);
    const { slots } = await town.slice();
    expect([slotState(slots, 0), slotReason(slots, 0)]).toEqual(["failed", "unsafe"]);
    expect(worn.dials).toBe(0);
    await drained(town, bridge);
  });
});
