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
  powerOf,
} from "./fleet-columns.ts";
import { decodeFleetColumns, encodeFleetColumns } from "./fleet-columns-codec.ts";

const NOON = Date.UTC(2026, 10, 2, 12);
const answered = (at: number) => ({ on: { at, by: "answer" } }) as const;

const contact = fc.record(
  {
    power: fc.record(
      {
        on: fc.record({
          at: fc.integer({ min: NOON - 9_000, max: NOON + 9_000 }),
          by: fc.constantFrom("answer" as const, "restoration" as const),
        }),
        offAt: fc.integer({ min: NOON - 9_000, max: NOON + 9_000 }),
      },
      { requiredKeys: [] },
    ),
    latencyMs: fc.option(fc.integer({ min: 0, max: 1e9 }), { nil: undefined }),
    switch: fc.record(
      {
        position: fc.constantFrom("open" as const, "closed" as const, "armed" as const, "unknown" as const),
        contactClosed: fc.boolean(),
      },
      { requiredKeys: ["position"] },
    ),
    missing: fc.integer({ min: 0, max: 300 }),
    clockOffsetMs: fc.integer({ min: -7_200_000, max: 7_200_000 }),
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

  it("tell how far off a clock was within five per cent and a tenth of a second", () => {
    fc.assert(
      fc.property(fc.integer({ min: -5_000_000, max: 5_000_000 }), (offset) => {
        const columns = columnsOf([{ slot: 1, at: NOON, contact: { power: answered(NOON), clockOffsetMs: offset } }]);
        const { clock } = factsOf(columns, 1);
        expect(clock?.at).toBe(NOON);
        expect(Math.abs((clock?.offsetMs ?? 1e9) - offset)).toBeLessThanOrEqual(100 + Math.abs(offset) * 0.05);
      }),
    );
  });

  it("are read as an earlier version wrote them", () => {
    const old = encodeFleetColumns(noColumns());
    const empty = old.subarray(0, old.length - 2 * 3).slice(); // two runs over all slots, of a value that is 0
    empty[0] = 2;
    expect(decodeFleetColumns(empty)).toEqual(noColumns());
    expect(() => decodeFleetColumns(old.subarray(0, old.length - 3))).toThrow();
  });

  it("tell when a meter last answered, and why it last failed since", () => {
    const columns = columnsOf([
      { slot: 7, at: NOON, reason: "none", contact: { power: answered(NOON), latencyMs: 4_000, missing: 3 } },
      { slot: 7, at: NOON + 60_000, reason: "timeout" },
      {
        slot: 7,
        at: NOON - 60_000,
        reason: "none",
        contact: { power: answered(NOON - 60_000), switch: { position: "open" } },
      },
    ]);
    expect(factsOf(columns, 7)).toEqual({
      triedAt: NOON + 60_000,
      reason: "timeout",
      contactAt: NOON,
      power: "on",
      powerAt: NOON,
      powerBy: "answer",
      latencyMs: expect.closeTo(4_000, -3),
      switch: { position: "open", at: NOON - 60_000 },
      intervalsAt: NOON,
      missing: 3,
    });
    expect(factsOf(columns, 8)).toEqual({ reason: "none", power: "unknown", missing: 0 });
  });

  it("show the supply by the newest evidence: of one second a restoration is newer than a last gasp, that than an answer", () => {
    const shown = (...powers: { on?: { at: number; by: "answer" | "restoration" }; offAt?: number }[]) =>
      powerOf(columnsOf(powers.map((power) => ({ slot: 1, at: NOON + 60_000, contact: { power } }))), 1);
    const back = (at: number) => ({ on: { at, by: "restoration" } }) as const;
    expect(shown(answered(NOON), { offAt: NOON + 900 })).toEqual({ state: "off", at: NOON, by: "last-gasp" });
    expect(shown(back(NOON + 900), { offAt: NOON })).toEqual({ state: "on", at: NOON, by: "restoration" });
    expect(shown(back(NOON + 5_000), { offAt: NOON }, { offAt: NOON + 2_000 }).state).toBe("on");
    expect(shown(back(NOON + 5_000), { offAt: NOON + 6_000 })).toMatchObject({ state: "off", at: NOON + 6_000 });
    // A meter whose clock runs ahead says nothing of the future.
    expect(shown({ offAt: NOON + 3_600_000 })).toMatchObject({ at: NOON + 60_000 });
    expect(shown({})).toEqual({ state: "unknown" });
  });

  it("are read as they were stored before evidence of the supply was kept", () => {
    const stored =
      "01c0f6a1d7060a00030106000302ec0f000a0007010079f00f0080100080100012000302ec0f000a0007010002f00f000a000341f40f00801000801000";
    const columns = decodeFleetColumns(Uint8Array.from(stored.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)));
    expect(powerOf(columns, 5)).toEqual({ state: "on", at: NOON, by: "answer" });
    expect(powerOf(columns, 7)).toEqual({ state: "off", at: NOON - 60_000, by: "last-gasp" });
    expect(powerOf(columns, 9)).toEqual({ state: "unknown" });
    expect(factsOf(columns, 9)).toMatchObject({ reason: "timeout", triedAt: NOON - 1_000 });
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
    expect(() => decodeFleetColumns(Uint8Array.of(4, ...empty.subarray(1)))).toThrow(
      /expected a version up to 3, found 4/,
    );
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
      Array.from({ length: SEGMENT_SLOTS }, (_, slot) => {
        const at = NOON + within(3600) * 1000;
        return slot % 50 === 0
          ? { slot, at, reason: "timeout" }
          : {
              slot,
              at,
              reason: "none",
              contact: {
                power: answered(at),
                latencyMs: 60_000 + within(3600) * 1000,
                missing: slot % 40 === 0 ? 2 : 0,
              },
            };
      }),
    );
    expect(encodeFleetColumns(columns).length).toBeLessThan(4 * 1024 - 64);
  });
});
