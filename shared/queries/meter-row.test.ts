import { describe, expect, it } from "vitest";
import { noColumns, noteFact } from "../readings/fleet-columns.ts";
import { addInterval, noIntervals } from "../readings/interval-bits.ts";
import { NOTHING_COUNTED } from "../readings/missing-records.ts";
import { METER_FIELDS } from "./language/meter-fields.ts";
import { FIELDS_OF_FACTS, factsRow } from "./meter-row.ts";

const DAY = Date.parse("2026-03-02T00:00:00Z");
const NOW = DAY + 9 * 3_600_000;

describe("the row of a meter", () => {
  it("has the fast facts of its slot, and of today only what was counted today", () => {
    const columns = noColumns();
    const power = { on: { at: NOW - 60_000, by: "answer" } } as const;
    const contact = {
      power,
      latencyMs: 1500,
      switch: { position: "closed" },
      missing: 3,
      clockOffsetMs: -5_200,
    } as const;
    noteFact(columns, { slot: 7, at: NOW - 60_000, reason: "none", contact });
    noteFact(columns, { slot: 7, at: NOW - 30_000, reason: "timeout" });
    noteFact(columns, { slot: 8, at: DAY - 60_000, reason: "none", contact });
    expect(factsRow({ columns }, 7, NOW)).toEqual({
      clockOffMs: expect.closeTo(5_200, -3),
      lastCommunication: NOW - 60_000,
      lastTry: NOW - 30_000,
      power: "on",
      switch: "closed",
      lastFailure: "timeout",
      readLatencyMs: expect.closeTo(1500, -2),
      missingToday: 3,
    });
    expect(factsRow({ columns }, 8, NOW)).toMatchObject({ missingToday: null, lastFailure: null });
  });

  it("knows nothing of a slot that nobody reported on", () => {
    const nothing = Object.fromEntries(FIELDS_OF_FACTS.columns.map((field) => [field, null]));
    expect(factsRow({ columns: noColumns() }, 0, NOW)).toEqual(nothing);
    expect(factsRow({ columns: undefined }, 0, NOW)).toEqual(nothing);
    expect(factsRow({}, 0, NOW)).toEqual({});
  });

  it("has the gaps of yesterday once the closing pass has counted, none where it found none", () => {
    const bits = noIntervals(96);
    for (const number of [3, 4, 95]) addInterval(bits, number);
    const entries = [
      { slot: 7, set: "load", period: 900, reason: "timeout", bits },
      { slot: 7, set: "load", period: 900, reason: "not-held", bits: bits.slice(0, 1) },
      { slot: 9, set: "load", period: 900, reason: "timeout", bits },
    ] as const;
    const record = { segment: 0, day: DAY, entries, version: 1 };
    const counted = { at: NOW, counts: NOTHING_COUNTED, toRead: [] };
    expect(factsRow({ missing: { ...record, counted } }, 7, NOW)).toEqual({ missingYesterday: 5 });
    expect(factsRow({ missing: { ...record, counted } }, 8, NOW)).toEqual({ missingYesterday: 0 });
    expect(factsRow({ missing: record }, 7, NOW)).toEqual({ missingYesterday: null });
    expect(factsRow({ missing: undefined }, 7, NOW)).toEqual({ missingYesterday: null });
  });

  it("draws each fact that the registry lacks from one place", () => {
    const fields = Object.values(FIELDS_OF_FACTS).flat();
    expect(new Set(fields).size).toBe(fields.length);
    for (const field of fields) expect(METER_FIELDS).toHaveProperty(field);
  });
});
