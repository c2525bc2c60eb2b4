import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dynamoWayPermits } from "../../functions/adapters/dynamo-way-permits.ts";
import { memoryWayPermits } from "../../shared/bridge/memory-way-permits.ts";
import { wayDesk } from "../../shared/bridge/slice-ways.ts";
import type { WayPermits } from "../../shared/bridge/way-permits.ts";
import { type EmbeddedDynamo, embeddedDynamo, TABLES } from "./embedded-dynamo.ts";

let dynamo: EmbeddedDynamo;
beforeAll(async () => {
  dynamo = await embeddedDynamo(TABLES.slice(1, 2).map((table) => ({ ...table, TableName: "Access" })));
});
afterAll(() => dynamo.close());

const stores: readonly [string, () => WayPermits][] = [
  ["in memory", () => memoryWayPermits()],
  ["in DynamoDB", () => dynamoWayPermits(dynamo.db, "Access")],
];
const lease = { lane: "bulk", permits: 3, wants: 9, until: 1_700_000_060_000 } as const;
const clock = { now: () => 1_700_000_000_000, sleep: () => Promise.resolve() };

describe.each(stores)("permits of ways in %s", (_name, open) => {
  it("are none at first, and are written under their version", async () => {
    const store = open();
    expect(await store.read("collector:a")).toEqual({ version: 0, leases: {} });
    expect(await store.writeLeases("collector:a", 0, { "b1#1": lease })).toBe("written");
    expect(await store.writeLeases("collector:a", 0, {})).toBe("conflict");
    expect(await store.writeLeases("collector:a", 2, {})).toBe("conflict");
    expect(await store.read("collector:a")).toEqual({ version: 1, leases: { "b1#1": lease } });
    expect(await store.writeLeases("collector:a", 1, {})).toBe("written");
    expect(await store.read("collector:a")).toEqual({ version: 2, leases: {} });
  });

  it("keep a limit through writes of leases; a new one lets what was read before conflict", async () => {
    const store = open();
    await store.setLimit("collector:b", 5);
    expect(await store.read("collector:b")).toEqual({ limit: 5, version: 1, leases: {} });
    expect(await store.writeLeases("collector:b", 0, {})).toBe("conflict");
    expect(await store.writeLeases("collector:b", 1, { x: lease })).toBe("written");
    await store.setLimit("collector:b", 2);
    expect(await store.writeLeases("collector:b", 2, {})).toBe("conflict");
    expect(await store.read("collector:b")).toEqual({ limit: 2, version: 3, leases: { x: lease } });
    await store.setLimit("collector:b", undefined);
    expect(await store.read("collector:b")).toEqual({ version: 4, leases: { x: lease } });
  });

  it("are never more than the limit, however many bridges ask at once", async () => {
    const store = open();
    await store.setLimit("collector:c", 10);
    const claims = Array.from({ length: 8 }, (_, index) => ({
      owner: `bridge-${index}#1`,
      lane: index % 2 === 0 ? ("bulk" as const) : ("interactive" as const),
      wants: 4,
      inUse: 0,
    }));
    const given = await Promise.all(claims.map((claim) => wayDesk(store, clock).lease("collector:c", claim)));
    const stored = Object.values((await store.read("collector:c")).leases);
    expect(given.reduce((sum, permits) => sum + permits, 0)).toBeLessThanOrEqual(10);
    expect(stored.reduce((sum, { permits }) => sum + permits, 0)).toBe(given.reduce((sum, permits) => sum + permits));
    expect(stored).toHaveLength(8);
  });
});
