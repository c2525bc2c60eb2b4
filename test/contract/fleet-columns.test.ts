import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dynamoFleetColumns } from "../../functions/adapters/dynamo-fleet-columns.ts";
import { type FleetColumnStore, factsOf, noColumns, noteFact } from "../../shared/readings/fleet-columns.ts";
import { memoryFleetColumns } from "../../shared/readings/memory-fleet-columns.ts";
import { type EmbeddedDynamo, embeddedDynamo } from "./embedded-dynamo.ts";

const NOON = Date.UTC(2026, 10, 2, 12);
let dynamo: EmbeddedDynamo;
beforeAll(async () => {
  dynamo = await embeddedDynamo();
});
afterAll(() => dynamo.close());

const columnsOf = (slot: number) => {
  const columns = noColumns();
  noteFact(columns, {
    slot,
    at: NOON,
    reason: "none",
    contact: { power: { on: { at: NOON, by: "answer" } }, switch: { position: "armed" } },
  });
  return columns;
};

describe.each<{ name: string; open: () => FleetColumnStore }>([
  { name: "in memory", open: memoryFleetColumns },
  { name: "on DynamoDB", open: () => dynamoFleetColumns(dynamo.db, "Readings") },
])("fleet columns $name", ({ open }) => {
  it("are written under the version that was read, and come back as they were", async () => {
    const store = open();
    expect(await store.read(7)).toBeUndefined();
    expect(await store.write(7, columnsOf(1), 1)).toBe("conflict");
    expect(await store.write(7, columnsOf(1), 0)).toBe("written");
    expect(await store.write(7, columnsOf(2), 0)).toBe("conflict");
    const both = await Promise.all([store.write(7, columnsOf(3), 1), store.write(7, columnsOf(3), 1)]);
    expect(both.sort()).toEqual(["conflict", "written"]);
    expect(await store.read(7)).toEqual({ columns: columnsOf(3), version: 2 });
  });

  it("of many segments are read at once; where nothing is known there is nothing", async () => {
    const store = open();
    const known = Array.from({ length: 70 }, (_, at) => 1000 + at * 2);
    for (const segment of known) await store.write(segment, columnsOf(segment % 1024), 0);
    const found = await store.readMany(Array.from({ length: 140 }, (_, at) => 1000 + at));
    expect([...found.keys()].sort((left, right) => left - right)).toEqual(known);
    for (const [segment, columns] of found)
      expect(factsOf(columns, segment % 1024)).toMatchObject({ contactAt: NOON, switch: { position: "armed" } });
  });
});
