import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dynamoDayBlocks } from "../../functions/adapters/dynamo-day-blocks.ts";
import type { BlockKey, DayBlocks } from "../../shared/readings/blocks.ts";
import { DAY_MS } from "../../shared/readings/day-block.ts";
import { memoryDayBlocks } from "../../shared/readings/memory-day-blocks.ts";
import { type EmbeddedDynamo, embeddedDynamo } from "./embedded-dynamo.ts";

const DAY = Date.UTC(2026, 10, 2);
let dynamo: EmbeddedDynamo;
beforeAll(async () => {
  dynamo = await embeddedDynamo();
});
afterAll(() => dynamo.close());

const keyOf = (change: Partial<BlockKey> = {}): BlockKey => ({
  segment: 3,
  slot: 17,
  day: DAY,
  set: "load",
  ...change,
});
const octets = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe.each<{ name: string; open: () => DayBlocks }>([
  { name: "in memory", open: memoryDayBlocks },
  { name: "on DynamoDB", open: () => dynamoDayBlocks(dynamo.db, "Readings") },
])("day blocks $name", ({ open }) => {
  let blocks: DayBlocks;
  beforeAll(() => {
    blocks = open();
  });

  it("are written under the version that was read", async () => {
    const key = keyOf({ slot: 1 });
    expect(await blocks.write(key, octets(1), 1)).toBe("conflict");
    expect(await blocks.write(key, octets(1), 0)).toBe("written");
    expect(await blocks.write(key, octets(2), 0)).toBe("conflict");
    const both = await Promise.all([blocks.write(key, octets(3), 1), blocks.write(key, octets(4), 1)]);
    expect(both.sort()).toEqual(["conflict", "written"]);
    expect((await blocks.read([key]))[0]).toMatchObject({ key, version: 2 });
  });

  it("are read in batches of any size; absent ones are left out", async () => {
    const keys = Array.from({ length: 230 }, (_, slot) => keyOf({ segment: 4, slot }));
    await Promise.all(
      keys.filter(({ slot }) => slot % 2 === 0).map((key) => blocks.write(key, octets(key.slot & 255), 0)),
    );
    const found = await blocks.read(keys);
    expect(found.map(({ key }) => key.slot).sort((left, right) => left - right)).toEqual(
      keys.filter(({ slot }) => slot % 2 === 0).map(({ slot }) => slot),
    );
    for (const block of found) expect(block.octets).toEqual(octets(block.key.slot & 255));
    expect(await blocks.read([])).toEqual([]);
  });

  it("of a meter are found by day, every channel set, without other meters or what was superseded", async () => {
    const mine = [keyOf({ set: "load" }), keyOf({ set: "registers" }), keyOf({ day: DAY + DAY_MS })];
    for (const key of [...mine, keyOf({ slot: 171 }), keyOf({ segment: 31 }), keyOf({ day: DAY + 3 * DAY_MS })])
      await blocks.write(key, octets(9), 0);
    const superseded = { key: keyOf(), loser: "00000000000000aa", winner: "00000000000000bb", octets: octets(7) };
    await blocks.keep(superseded);
    await blocks.keep(superseded);
    const found = await blocks.ofMeter({ segment: 3, slot: 17 }, DAY + 5, DAY + DAY_MS);
    expect(found.map(({ key }) => key)).toEqual(mine);
    expect(await blocks.supersededOf({ segment: 3, slot: 17 }, DAY)).toEqual([superseded]);
    expect(await blocks.supersededOf({ segment: 3, slot: 17 }, DAY + DAY_MS)).toEqual([]);
  });
});
