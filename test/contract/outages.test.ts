import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dynamoOutages } from "../../functions/adapters/dynamo-outages.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import { endDeviceEventOf } from "../../shared/outage/end-device-event.ts";
import { OUTAGE_POLICY } from "../../shared/outage/evaluate-feeder.ts";
import { memoryOutages } from "../../shared/outage/memory-outages.ts";
import { noRecord, type Outage, OutageId } from "../../shared/outage/outage.ts";
import { METERS, MINUTE_MS, of, T0 } from "../../shared/outage/outage-fixture.ts";
import type { ElectricalNodes, OutageStore } from "../../shared/outage/outage-store.ts";
import { runOutages } from "../../shared/outage/run-outages.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { noColumns, noteFact } from "../../shared/readings/fleet-columns.ts";
import { type EmbeddedDynamo, embeddedDynamo, TABLES } from "./embedded-dynamo.ts";

let dynamo: EmbeddedDynamo;
beforeAll(async () => {
  const table = TABLES.find(({ TableName }) => TableName === "Outages")!;
  dynamo = await embeddedDynamo([1, 2, 3, 4, 5].map((at) => ({ ...table, TableName: `Outages${at}` })));
});
afterAll(() => dynamo.close());

let number = 0;
let tables = 0;
const outage = (change: Partial<Outage> = {}): Outage => ({
  outageId: OutageId.parse("0".repeat(20) + String(1000 + ++number)),
  feeder: "F1",
  node: "T1",
  kind: "transformer",
  state: "confirmed",
  startedAt: T0,
  detectedAt: T0 + MINUTE_MS,
  confidence: 1,
  evidence: { meters: 1, gasped: 1, silent: 0, supplied: 0 },
  meterIds: [MeterId.parse("M-1")],
  gaspedIds: [],
  version: 1,
  changedAt: T0 + MINUTE_MS,
  ...change,
});

describe.each<{ name: string; open: () => Promise<OutageStore & ElectricalNodes> }>([
  { name: "in memory", open: async () => memoryOutages() },
  {
    name: "on DynamoDB",
    open: async () => dynamoOutages(dynamo.db, `Outages${++tables}`),
  },
])("outages $name", ({ open }) => {
  it("keep news until a pass has looked at it, and what came meanwhile longer", async () => {
    const store = await open();
    await store.noteNews(3, [1, 2]);
    await store.noteNews(3, [2, 7]);
    const [news] = await store.news();
    expect([news?.segment, [...(news?.slots ?? [])].sort()]).toEqual([3, [1, 2, 7]]);
    await store.noteNews(3, [9]);
    await store.dropNews(news!);
    expect((await store.news())[0]?.slots).toContain(9);
    await store.dropNews((await store.news())[0]!);
    expect(await store.news()).toEqual([]);
  });

  it("write a feeder's record under its version only", async () => {
    const store = await open();
    const first = await store.record("F1");
    expect(first).toEqual(noRecord("F1"));
    expect(await store.writeRecord({ ...first, open: [outage()] })).toBe("written");
    expect(await store.writeRecord(first)).toBe("conflict");
    expect((await store.record("F1")).version).toBe(1);
    await store.setWaiting("F1", true);
    await store.setWaiting("F1", true);
    expect(await store.waiting()).toEqual(["F1"]);
    await store.setWaiting("F1", false);
    expect(await store.waiting()).toEqual([]);
  });

  it("tell each state of an outage once, in order, and nothing of one that was never confirmed", async () => {
    const store = await open();
    const one = outage();
    const publish = store.publish.bind(store);
    const [suspected, other] = [outage({ state: "suspected" }), outage({ startedAt: T0 + MINUTE_MS })];
    const tells = [
      await publish(suspected, T0 + 1),
      await publish({ ...suspected, state: "withdrawn", version: 2 }, T0 + 2),
      await publish(one, T0 + 3),
      await publish(one, T0 + 4), // once more: whoever publishes tells again
      await publish(other, T0 + 5),
      await publish({ ...one, version: 2 }, T0 + 6), // a newer version of the same state
      await publish({ ...one, state: "restored", version: 4 }, T0 + 86_400_000),
      await publish({ ...one, state: "restoring", version: 3 }, T0 + 86_400_001), // late: the document stays
    ];
    expect(tells).toEqual([false, false, true, true, true, false, true, true]);
    const told = await store.events("", 10, T0 + 2 * 86_400_000);
    expect(told.map(({ outage: { outageId }, state }) => [outageId, state])).toEqual([
      [one.outageId, "confirmed"],
      [other.outageId, "confirmed"],
      [one.outageId, "restored"],
      [one.outageId, "restoring"],
    ]);
    expect((await store.outage(one.outageId))?.state).toBe("restored");
    const [first, second] = await store.events("", 2, T0 + 2 * 86_400_000);
    expect(await store.events(second!.cursor, 10, T0 + 2 * 86_400_000)).toEqual(told.slice(2));
    expect(endDeviceEventOf(first!.outage, first!.eventId)).toMatchObject({
      mRID: `${one.outageId}-confirmed`,
      EndDeviceEventType: { ref: "3.26.0.47" },
      Assets: [{ mRID: "M-1" }],
    });
    const within = await store.within(T0, T0 + 2 * MINUTE_MS, 10);
    expect(within.map(({ outageId }) => outageId).slice(0, 1)).toEqual([other.outageId]);
    expect(within).toHaveLength(3);
  });

  it("hold the tree of a feeder, each node once", async () => {
    const store = await open();
    const node = { node: "T1", kind: "transformer", parent: "L1", feeder: "F1" } as const;
    await store.putNodes([node, { ...node, feeder: "F2" }]);
    await store.putNodes([{ ...node, parent: "F1" }]);
    expect(await store.nodesOf("F1")).toEqual([{ ...node, parent: "F1" }]);
    expect([await store.dropNode("F1", "T1"), await store.dropNode("F1", "T1")]).toEqual([true, false]);
  });

  it("are declared by a pass wherever it breaks off: told at least once, by the same names, and never lost", async () => {
    const store = await open();
    const columns = noColumns();
    for (const { place } of METERS)
      noteFact(columns, {
        slot: place.slot,
        at: T0 - MINUTE_MS,
        contact: { power: { on: { at: T0 - MINUTE_MS, by: "answer" } } },
      });
    const lost = new Set(of("T3", 4));
    for (const { meterId, place } of METERS)
      if (lost.has(meterId)) noteFact(columns, { slot: place.slot, at: T0 + 2_000, contact: { power: { offAt: T0 } } });
    await store.noteNews(0, [12]);
    let steps = 0;
    let breakAt = 0;
    const breaks = <T extends object>(port: T): T =>
      new Proxy(port, {
        get(target, key) {
          const found = Reflect.get(target, key) as unknown;
          if (typeof found !== "function") return found;
          return async (...given: unknown[]) => {
            if (++steps === breakAt) throw new Error("broke off");
            return (found as (...those: unknown[]) => unknown).apply(target, given);
          };
        },
      });
    const asked: string[] = [];
    const ports = {
      outages: breaks(store),
      columns: { readMany: async () => new Map([[0, columns]]) },
      meters: { feedersOf: async () => ["F1"], metersOf: async () => METERS },
      crypto: nodeCrypto,
      policy: OUTAGE_POLICY,
      ping: async (_: readonly MeterId[], key: string) => void asked.push(key),
    };
    for (breakAt = 1; breakAt <= 14; breakAt++) {
      steps = 0;
      await runOutages(ports, () => T0 + 70_000).catch(() => undefined);
    }
    breakAt = 0;
    await runOutages(ports, () => T0 + 70_000);
    const told = await store.events("", 10, T0 + 86_400_000);
    expect(new Set(told.map(({ eventId }) => eventId)).size).toBe(1);
    expect(told[0]?.outage).toMatchObject({ node: "T3", state: "confirmed" });
    const record = await store.record("F1");
    expect([record.open.length, record.outbox.length, await store.waiting(), await store.news()]).toEqual([
      1,
      0,
      ["F1"],
      [],
    ]);
    expect(new Set(asked).size).toBe(1);
  });
});
