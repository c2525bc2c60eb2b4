import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dynamoDayBlocks } from "../../functions/adapters/dynamo-day-blocks.ts";
import { dynamoPushCounters } from "../../functions/adapters/dynamo-push-counters.ts";
import { dynamoAlarms, dynamoTimeline } from "../../functions/adapters/dynamo-timeline.ts";
import { groupsOf } from "../../shared/events/alarm.ts";
import { eventKeeper } from "../../shared/events/keep-events.ts";
import { memoryAlarms, memoryTimeline } from "../../shared/events/memory-timeline.ts";
import { CALLER, engine, meterRows, T0 } from "../../shared/jobs/engine-fixture.ts";
import { memoryBatches } from "../../shared/jobs/memory-batches.ts";
import { encodeMessage, ResultBatch } from "../../shared/jobs/messages.ts";
import { PushBatch, type PushReport } from "../../shared/jobs/push-message.ts";
import { submitJob } from "../../shared/jobs/submit-job.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { seeded } from "../../shared/ports/random.ts";
import { ingestBatch } from "../../shared/readings/ingest-batch.ts";
import { memoryDayBlocks } from "../../shared/readings/memory-day-blocks.ts";
import { readReadings } from "../../shared/readings/read-readings.ts";
import { memoryPushCounters, type PushCounters, WINDOW } from "../../shared/security/push-window.ts";
import { type EmbeddedDynamo, embeddedDynamo } from "./embedded-dynamo.ts";

const SEGMENT = 3;
const DAY_MS = 86_400_000;
let dynamo: EmbeddedDynamo;
beforeAll(async () => {
  dynamo = await embeddedDynamo();
});
afterAll(() => dynamo.close());

const loadProfile = (value: bigint): NonNullable<PushReport["intervals"]> => [
  {
    set: "load",
    period: 900,
    channels: [{ m: "energy.active.import.total", s: 0 }],
    ends: [T0],
    values: [[value]],
    status: [0],
  },
];

describe.each([
  { name: "in memory", real: false },
  { name: "on DynamoDB", real: true },
])("what meters say by themselves, $name", ({ real }) => {
  let meters = 0;
  function world() {
    const slot = meters++;
    const meterId = MeterId.parse(`PUSH-${real ? "R" : "M"}-${slot}`);
    const timeline = real ? dynamoTimeline(dynamo.db, "Timeline") : memoryTimeline();
    const alarms = real ? dynamoAlarms(dynamo.db, "Timeline") : memoryAlarms();
    const blocks = real ? dynamoDayBlocks(dynamo.db, "Readings") : memoryDayBlocks();
    const counters = real ? dynamoPushCounters(dynamo.db, "Readings") : memoryPushCounters();
    const base = engine(meterRows([SEGMENT], 4));
    const ports = {
      ...base.ports,
      blocks,
      pushes: counters,
      batches: memoryBatches(nodeCrypto),
      random: seeded("pushes"),
      crypto: nodeCrypto,
      keepers: [eventKeeper({ timeline, alarms, crypto: nodeCrypto })],
    };
    let batch = 0;
    const push = (counter: number, change: Partial<PushReport> = {}): PushReport => ({
      slot,
      meterId,
      proof: { key: "unicast", version: 1, counter: BigInt(counter) },
      transport: "tcp",
      receivedAt: T0 + 1000 + counter,
      profile: { name: "P", version: 1 },
      frameDigest: "ab".repeat(32),
      ...change,
    });
    const bodyOf = (...pushes: readonly PushReport[]): string =>
      encodeMessage(PushBatch, {
        v: 1,
        batch: `${meterId}-${++batch}`,
        bridge: "b1",
        segment: SEGMENT,
        sentAt: T0,
        pushes: [...pushes],
      });
    return {
      ports,
      ledger: base.ports,
      slot,
      push,
      bodyOf,
      ingest: (body: string) => ingestBatch(ports, body),
      entries: () => timeline.of(meterId, T0 - DAY_MS, T0 + DAY_MS, 100),
      raised: async () =>
        (await groupsOf(alarms.within(T0 - 1, T0 + DAY_MS))).filter(({ meterIds }) => meterIds.includes(meterId)),
      readings: () => readReadings({ blocks }, { segment: SEGMENT, slot }, T0 - DAY_MS, T0 + DAY_MS),
    };
  }

  it("the same interval by push and by poll is stored once; another value is a correction", async () => {
    const { ports, push, bodyOf, ingest, readings, slot, ledger } = world();
    expect(await ingest(bodyOf(push(1, { intervals: loadProfile(500n) })))).toMatchObject({
      pushes: { new: 1 },
      readings: { added: 1, written: 1 },
    });
    const submitted = await submitJob(ledger, CALLER, {
      operation: { kind: "readRegisters" },
      target: { kind: "all" },
    });
    if (submitted.kind !== "accepted") throw new Error(submitted.kind);
    const polled = (value: bigint, name: string) =>
      ingestBatch(
        ports,
        encodeMessage(ResultBatch, {
          v: 1,
          batch: name,
          bridge: "b1",
          lane: "bulk",
          job: submitted.jobId,
          segment: SEGMENT,
          part: 0,
          generation: 1,
          sentAt: T0,
          tasks: [
            {
              slot,
              meterId: push(1).meterId,
              attempt: 1,
              at: T0 + 60_000,
              outcome: { kind: "done" },
              intervals: loadProfile(value),
            },
          ],
          passOver: false,
        }),
      );
    expect(await polled(500n, "b1-1")).toMatchObject({ readings: { added: 0, written: 0, unchanged: 1 } });
    expect((await readings()).intervals[0]?.entries).toHaveLength(1);
    expect(await polled(501n, "b1-2")).toMatchObject({ readings: { added: 0, corrected: 1, written: 1 } });
    expect((await readings()).intervals[0]?.entries.map(({ values }) => values)).toEqual([[501n]]);
  });

  it("a message that is delivered again changes nothing and raises nothing", async () => {
    const { push, bodyOf, ingest, entries, raised, readings } = world();
    const body = bodyOf(
      push(5, { intervals: loadProfile(500n) }),
      push(6, { events: [{ at: T0, e: "power.last-gasp", log: "alarms", code: "4" }] }),
    );
    expect(await ingest(body)).toMatchObject({ pushes: { new: 2 } });
    expect(await ingest(body)).toMatchObject({ pushes: { new: 0, again: 2 }, readings: { added: 0, written: 0 } });
    expect((await entries()).map((entry) => entry.kind === "event" && entry.event)).toEqual(["power.last-gasp"]);
    expect((await raised()).map(({ event }) => event)).toEqual(["power.last-gasp"]);
    expect((await readings()).intervals[0]?.entries).toHaveLength(1);
  });

  it("a replay is refused, counted and on the timeline once, and nothing of it is stored", async () => {
    const { push, bodyOf, ingest, entries, raised, readings } = world();
    await ingest(bodyOf(push(5, { intervals: loadProfile(500n) })));
    const replay = bodyOf(push(5, { intervals: loadProfile(499n), receivedAt: T0 + 5000 }));
    expect(await ingest(replay)).toMatchObject({ pushes: { replayed: 1 }, readings: { added: 0, corrected: 0 } });
    expect(await ingest(replay)).toMatchObject({ pushes: { replayed: 1 } });
    expect(await entries()).toMatchObject([{ event: "security.push-replayed", code: "5", receivedAt: T0 + 5000 }]);
    expect((await raised()).map(({ event }) => event)).toEqual(["security.push-replayed"]);
    expect((await readings()).intervals[0]?.entries.map(({ values }) => values)).toEqual([[500n]]);
  });

  it("a batch that fails after any write is gone through again, and nothing is lost or doubled", async () => {
    const steps = ["counter", "block", "timeline", "alarm"] as const;
    for (const fails of steps)
      for (const when of ["before", "after"] as const) {
        const { ports, push, bodyOf, ingest, entries, raised, readings } = world();
        const breaking =
          <Given extends unknown[], Answer>(step: string, run: (...given: Given) => Promise<Answer>) =>
          async (...given: Given): Promise<Answer> => {
            if (step !== fails) return run(...given);
            if (when === "after") await run(...given);
            throw new Error("killed");
          };
        const keeper = (timeline: ReturnType<typeof memoryTimeline>, alarms: ReturnType<typeof memoryAlarms>) =>
          eventKeeper({
            timeline: { add: breaking("timeline", timeline.add) },
            alarms: { raise: breaking("alarm", alarms.raise) },
            crypto: nodeCrypto,
          });
        const timeline = real ? dynamoTimeline(dynamo.db, "Timeline") : memoryTimeline();
        const alarms = real ? dynamoAlarms(dynamo.db, "Timeline") : memoryAlarms();
        const body = bodyOf(
          push(9, {
            intervals: loadProfile(500n),
            events: [{ at: T0, e: "power.last-gasp", log: "alarms", code: "4" }],
          }),
        );
        await expect(
          ingestBatch(
            {
              ...ports,
              pushes: { ...ports.pushes, write: breaking("counter", ports.pushes.write) },
              blocks: { ...ports.blocks, write: breaking("block", ports.blocks.write) },
              keepers: [keeper(timeline, alarms)],
            },
            body,
          ),
        ).rejects.toThrow("killed");
        await ingest(body);
        expect((await readings()).intervals[0]?.entries.map(({ values }) => values)).toEqual([[500n]]);
        expect(await entries()).toHaveLength(1);
        expect((await raised()).map(({ event }) => event)).toEqual(["power.last-gasp"]);
      }
  });

  it("two bridges' batches at once, out of order, each push is taken once", async () => {
    const { push, bodyOf, ingest, entries } = world();
    const bodies = Array.from({ length: 8 }, (_, at) => bodyOf(push(100 - at)));
    const facts = await Promise.all(bodies.map(ingest));
    expect(facts.map(({ pushes }) => pushes?.new)).toEqual(bodies.map(() => 1));
    expect(await entries()).toEqual([]);
  });

  it("what our own queues kept long is stored still; what comes long after is a replay; a new key counts anew", async () => {
    const { push, bodyOf, ingest } = world();
    const kept = bodyOf(push(1, { intervals: loadProfile(7n) }));
    await ingest(bodyOf(...Array.from({ length: WINDOW + 4 }, (_, at) => push(at + 2))));
    expect(await ingest(kept)).toMatchObject({ pushes: { late: 1 }, readings: { added: 1 } });
    expect(await ingest(bodyOf(push(1, { receivedAt: T0 + 900_000 })))).toMatchObject({ pushes: { replayed: 1 } });
    const proof = { key: "unicast", version: 2, counter: 1n };
    expect(await ingest(bodyOf(push(1, { proof })))).toMatchObject({ pushes: { new: 1 } });
  });
});

describe.each<{ name: string; open: () => PushCounters }>([
  { name: "in memory", open: memoryPushCounters },
  { name: "on DynamoDB", open: () => dynamoPushCounters(dynamo.db, "Readings") },
])("counters of pushes $name", ({ open }) => {
  it("are written under the version that was read, and come back as they were, in the order that was asked", async () => {
    const counters = open();
    const key = { meterId: "C-1", key: "unicast", version: 3 };
    const other = { ...key, version: 4 };
    const window = {
      taken: [{ counter: 2n ** 63n + 5n, report: "00ff00ff00ff00ff", receivedAt: T0 }],
      floor: { counter: 4n, receivedAt: T0 - 1 },
    };
    expect(await counters.write(key, window, 1)).toBe("conflict");
    expect(await counters.write(key, window, 0)).toBe("written");
    expect(await counters.write(key, window, 0)).toBe("conflict");
    expect(await counters.read([other, key])).toEqual([
      { window: { taken: [] }, version: 0 },
      { window, version: 1 },
    ]);
  });
});
