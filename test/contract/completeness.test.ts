import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dynamoDaySummaries } from "../../functions/adapters/dynamo-day-summaries.ts";
import { dynamoMissingRecords } from "../../functions/adapters/dynamo-missing-records.ts";
import type { DaySummaries } from "../../shared/readings/close-days.ts";
import { DAY_MS } from "../../shared/readings/day-block.ts";
import { memoryDaySummaries } from "../../shared/readings/memory-day-summaries.ts";
import { memoryMissingRecords } from "../../shared/readings/memory-missing-records.ts";
import { type MissingEntry, type MissingRecords, NOTHING_COUNTED } from "../../shared/readings/missing-records.ts";
import { type EmbeddedDynamo, embeddedDynamo } from "./embedded-dynamo.ts";

const DAY = Date.UTC(2026, 10, 2);
let dynamo: EmbeddedDynamo;
beforeAll(async () => {
  dynamo = await embeddedDynamo();
});
afterAll(() => dynamo.close());

describe.each<{ name: string; open: () => MissingRecords }>([
  { name: "in memory", open: memoryMissingRecords },
  { name: "on DynamoDB", open: () => dynamoMissingRecords(dynamo.db, "Readings") },
])("missing records $name", ({ open }) => {
  it("are written under the version that was read, and come back as they were", async () => {
    const records = open();
    const entry: MissingEntry = { slot: 4, set: "load", period: 900, reason: "not-held", bits: Uint8Array.of(1, 128) };
    const record = { segment: 9, day: DAY, entries: [entry], counted: { at: 5, counts: NOTHING_COUNTED, toRead: [4] } };
    expect(await records.read(9, DAY)).toBeUndefined();
    expect(await records.write(record, 1)).toBe("conflict");
    expect(await records.write({ ...record, entries: [] }, 0)).toBe("written");
    expect(await records.write(record, 0)).toBe("conflict");
    expect(await records.write(record, 1)).toBe("written");
    expect(await records.read(9, DAY)).toEqual({ ...record, version: 2 });
    expect(await records.read(9, DAY + DAY_MS)).toBeUndefined();
    expect(await records.read(90, DAY)).toBeUndefined();
  });
});

describe.each<{ name: string; open: () => DaySummaries }>([
  { name: "in memory", open: memoryDaySummaries },
  { name: "on DynamoDB", open: () => dynamoDaySummaries(dynamo.db, "Readings") },
])("summaries of days $name", ({ open }) => {
  it("are written under the version that was read, and listed by day", async () => {
    const summaries = open();
    for (const day of [DAY + 2 * DAY_MS, DAY, DAY + DAY_MS])
      expect(await summaries.write({ day, passes: 1, nextAt: day + 5 }, 0)).toBe("written");
    expect(await summaries.write({ day: DAY, passes: 2 }, 0)).toBe("conflict");
    expect(await summaries.write({ day: DAY, passes: 2, nextAt: undefined, under: undefined }, 1)).toBe("written");
    const [first, ...others] = await summaries.list(DAY, DAY + DAY_MS);
    expect(first).toMatchObject({ day: DAY, passes: 2, version: 2 });
    expect(first?.nextAt).toBeUndefined();
    expect(others).toMatchObject([{ day: DAY + DAY_MS, nextAt: DAY + DAY_MS + 5, version: 1 }]);
  });
});
