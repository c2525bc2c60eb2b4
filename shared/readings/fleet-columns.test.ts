import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FAILURE_REASONS } from "../metering/failure.ts";
import { SEGMENT_SLOTS } from "../metering/meter.ts";
import { below, seeded } from "../ports/random.ts";
import {
  type FleetColumns,
  type FleetFact,
  factsOf,
  latencyCode,
  latencyMs,
  noColumns,
  noteFact,
  POWER_STATES,
} from "./fleet-columns.ts";
import { decodeFleetColumns, encodeFleetColumns } from "./fleet-columns-codec.ts";

const NOON = Date.UTC(2026, 10, 2, 12);

const contact = fc.record(
  {
    power: fc.constantFrom(...POWER_STATES),
    latencyMs: fc.option(fc.integer({ min: 0, max: 1e9 }), { nil: undefined }),
    switch: fc.record(
      {
        position: fc.constantFrom("open" as const, "closed" as const, "armed" as const, "unknown" as const),
        contactClosed: fc.boolean(),
      },
      { requiredKeys: ["position"] },
    ),
    missing: fc.integer({ min: 0, max: 300 }),
  },
  { requiredKeys: ["power"] },
);
/** Few slots and few seconds, so that facts meet. */
const fact = (slots: number, spanMs: number): fc.Arbitrary<FleetFact> =>
  fc.record(
    {
      slot: fc.integer({ min: 0, max: slots - 1 }),
      at: fc.integer({ min: NOON - spanMs, max: NOON + spanMs }),
      reason: fc.constantFrom(...FAILURE_REASONS),
      contact,
    },
    { requiredKeys: ["slot", "at"] },
  );
const columnsOf = (facts: readonly FleetFact[]): FleetColumns => {
  const columns = noColumns();
  for (const one of facts) noteFact(columns, one);
  return columns;
};

describe("fleet columns", () => {
  it("are the same in whichever order facts come, and however often", () => {
    fc.assert(
      fc.property(fc.array(fact(3, 3_000), { maxLength: 30 }), fc.array(fc.nat()), (facts, order) => {
        const shuffled = facts
          .map((one, at) => ({ one, key: order[at % Math.max(1, order.length)] ?? 0 }))
          .sort((left, right) => left.key - right.key)
          .map(({ one }) => one);
        const columns = columnsOf(facts);
        expect(columnsOf([...shuffled, ...facts.slice(0, 5)])).toEqual(columns);
        for (const one of facts) expect(noteFact(columns, one)).toBe(false);
      }),
    );
  });

  it("tell when a meter last answered, and why it last failed since", () => {
    const columns = columnsOf([
      { slot: 7, at: NOON, reason: "none", contact: { power: "on", latencyMs: 4_000, missing: 3 } },
      { slot: 7, at: NOON + 60_000, reason: "timeout" },
      { slot: 7, at: NOON - 60_000, reason: "none", contact: { power: "on", switch: { position: "open" } } },
    ]);
    expect(factsOf(columns, 7)).toEqual({
      triedAt: NOON + 60_000,
      reason: "timeout",
      contactAt: NOON,
      power: "on",
      latencyMs: expect.closeTo(4_000, -3),
      switch: { position: "open", at: NOON - 60_000 },
      intervalsAt: NOON,
      missing: 3,
    });
    expect(factsOf(columns, 8)).toEqual({ reason: "none", power: "unknown", missing: 0 });
  });

  it("keep a latency within three hundredths", () => {
    for (const ms of [0, 7, 250, 1_000, 61_000, 3_600_000, 150_000_000]) {
      const kept = latencyMs(latencyCode(ms)) ?? Number.NaN;
      expect(Math.abs(kept - ms)).toBeLessThanOrEqual((ms + 100) * 0.03);
    }
  });

  it("come back from their octets as they were", () => {
    fc.assert(
      fc.property(fc.array(fact(SEGMENT_SLOTS, 3e10), { maxLength: 300 }), (facts) => {
        const columns = columnsOf(facts);
        expect(decodeFleetColumns(encodeFleetColumns(columns))).toEqual(columns);
      }),
      { numRuns: 50 },
    );
  });

  it("refuse octets that were cut anywhere, that have more at the end, or that no segment can have", () => {
    const octets = encodeFleetColumns(columnsOf(fc.sample(fact(SEGMENT_SLOTS, 1e7), { numRuns: 60, seed: 5 })));
    expect(octets.length).toBeGreaterThan(200);
    for (let length = 0; length < octets.length; length++)
      expect(() => decodeFleetColumns(octets.subarray(0, length))).toThrow(/fleet columns: /);
    expect(() => decodeFleetColumns(Uint8Array.of(...octets, 0))).toThrow(/expected the end, found 1 more/);
    const empty = encodeFleetColumns(noColumns());
    expect(() => decodeFleetColumns(Uint8Array.of(2, ...empty.subarray(1)))).toThrow(/expected version 1, found 2/);
    // The first column: a run of 1,025 slots, a run of none, a meter tried before there was time.
    const newest = [1, 5]; // version, and the second 5
    expect(() => decodeFleetColumns(Uint8Array.of(...newest, 0x82, 0x10, 0))).toThrow(/run of 1 to 1024 slots/);
    expect(() => decodeFleetColumns(Uint8Array.of(...newest, 0, 0))).toThrow(/run of 1 to 1024 slots, found 0/);
    expect(() => decodeFleetColumns(Uint8Array.of(...newest, 0x80, 0x10, 7))).toThrow(/expected an instant up to 5/);
  });

  it("take four write units of a segment whose 1,024 meters were all read within the hour", () => {
    const random = seeded(4);
    const within = (most: number) => below(random, most);
    const columns = columnsOf(
      Array.from({ length: SEGMENT_SLOTS }, (_, slot) =>
        slot % 50 === 0
          ? { slot, at: NOON + within(3600) * 1000, reason: "timeout" }
          : {
              slot,
              at: NOON + within(3600) * 1000,
              reason: "none",
              contact: { power: "on", latencyMs: 60_000 + within(3600) * 1000, missing: slot % 40 === 0 ? 2 : 0 },
            },
      ),
    );
    expect(encodeFleetColumns(columns).length).toBeLessThan(4 * 1024 - 64);
  });
});
