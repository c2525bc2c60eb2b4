import { describe, expect, it } from "vitest";
import { memoryWayPermits } from "../../shared/bridge/memory-way-permits.ts";
import { encodeMessage, WorkItem } from "../../shared/jobs/messages.ts";
import { countSlots } from "../../shared/jobs/slots.ts";
import { type World, world } from "./bridge-world.ts";
import { MemoryLane } from "./memory-lane.ts";

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at);
const PING = { kind: "ping", depth: "meter" } as const;
const jobOf = (number: number): string => number.toString().padStart(26, "a");

/** A job of one meter in the interactive lane, of a share. */
async function single(town: World, lane: MemoryLane, job: string, slot: number, share: string): Promise<void> {
  const { jobId, segment, part, generation } = await town.plan({
    slots: [slot],
    lane: "interactive", // of the world's own, where nobody listens: the message with the share follows
    job,
    ...(share.endsWith("~ping") ? { operation: PING, passes: 1 } : {}),
  });
  lane.send(encodeMessage(WorkItem, { v: 1, job: jobId, segment, part, generation, share }));
}

describe("lanes of a bridge", () => {
  it("let a read through a storm of pings to dead meters at once; each ping is asked for once and none is lost", async () => {
    const town = await world();
    const DEAD = 120;
    for (const slot of range(0, DEAD)) await town.meter(slot, {}, { script: ["silent", "silent", "silent"] });
    await town.meter(DEAD);
    const lane = new MemoryLane(town.clock, (body) => WorkItem.parse(JSON.parse(body)).share ?? "");
    const deaf = { receive: (_max: number, signal: AbortSignal) => town.clock.sleep(20_000, signal).then(() => []) };
    const bridge = town.bridge({
      receivers: {
        commands: deaf,
        interactive: lane.receiver(new AbortController().signal),
        urgent: deaf,
        bulk: deaf,
        images: deaf,
      },
    });
    for (const slot of range(0, DEAD)) await single(town, lane, jobOf(slot), slot, "oms~ping");
    await town.clock.pass(20_000);
    const asked = town.clock.now();
    await single(town, lane, "z".repeat(26), DEAD, "anna");
    await town.clock.pass(30_000);
    const [dialled = Number.POSITIVE_INFINITY] = town.meters.get(`meter-${DEAD}`)?.dialledAt ?? [];
    expect(dialled - asked).toBeLessThan(1_000);
    await town.clock.pass(900_000);
    const dials = range(0, DEAD).map((slot) => town.meters.get(`meter-${slot}`)?.dials);
    expect(dials).toEqual(range(0, DEAD).map(() => 1));
    expect(lane.queued).toEqual([]);
    await bridge.drain(0);
  });

  it("park a message that cannot be read, with the reason, and nothing else", async () => {
    const town = await world();
    await town.meter(0);
    const parked: string[][] = [];
    const bridge = town.bridge({ park: async (...message) => void parked.push(message) });
    town.lanes.urgent.send("{");
    const slice = await town.plan();
    await town.clock.pass(5_000);
    expect(parked).toEqual([["urgent", "{", "the body is not JSON"]]);
    expect(town.lanes.urgent.queued).toEqual([]);
    expect(countSlots((await town.slice(slice)).slots)).toMatchObject({ done: 1 });
    await bridge.drain(0);
  });

  it("receive nothing in the lower lanes while ingest lags, and go on when it has caught up", async () => {
    const town = await world();
    await town.meter(0);
    await town.meter(1);
    const ingest = { waiting: 1_000_000 };
    const bridge = town.bridge({ resultsWaiting: async () => ingest.waiting });
    await town.clock.pass(25_000); // what was asked for before it was known comes
    const bulk = await town.plan({ slots: [0] });
    const read = await town.plan({ slots: [1], lane: "interactive", job: "z".repeat(26) });
    await town.clock.pass(30_000);
    expect((await town.slice(bulk)).state).toBe("queued");
    expect((await town.slice(read)).state).toBe("closed");
    ingest.waiting = 0;
    await town.clock.pass(10_000);
    expect((await town.slice(bulk)).state).toBe("closed");
    await bridge.drain(0);
  });

  it("share a collector's permits between two bridges; a slow collector delays only its own meters", async () => {
    const town = await world();
    const wayPermits = memoryWayPermits();
    await wayPermits.setLimit("collector:slow", 4);
    for (const slot of range(0, 40)) await town.meter(slot, { collector: "slow" }, { latencyMs: 5_000 });
    for (const slot of range(40, 80)) await town.meter(slot, {}, { latencyMs: 200 });
    const bridges = [town.bridge({ wayPermits }), town.bridge({ wayPermits })];
    const jobs = [];
    for (const number of [0, 1])
      jobs.push(await town.plan({ slots: range(0, 80).filter((slot) => slot % 2 === number), job: jobOf(number) }));
    let most = 0;
    for (let second = 0; second < 60; second++) {
      await town.clock.pass(1_000);
      const { leases } = await wayPermits.read("collector:slow");
      most = Math.max(
        most,
        Object.values(leases).reduce((sum, { permits }) => sum + permits, 0),
      );
    }
    expect(most).toBe(3); // a quarter is left to single reads
    for (const job of jobs) {
      const { slots } = await town.slice(job);
      const done = range(40, 80).filter((slot) => (slots[slot] ?? 0) >> 5 === 2);
      expect(done).toHaveLength(20);
    }
    await town.clock.pass(15 * 60_000);
    for (const job of jobs) expect(countSlots((await town.slice(job)).slots)).toMatchObject({ done: 40 });
    expect((await wayPermits.read("collector:slow")).leases).toEqual({});
    await Promise.all(bridges.map((bridge) => bridge.drain(0)));
  });
});
