import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Condition, LEVELS_MAX, testsIn } from "./condition.ts";
import { conditions, rows } from "./condition-fixture.ts";
import { evaluate } from "./evaluate.ts";
import { explain } from "./explain.ts";
import { METER_FIELDS, type MeterField, type MeterRow } from "./meter-fields.ts";
import { conditionOf, MeterFilter } from "./meter-filter.ts";

const NOW = Date.parse("2026-03-01T12:00:00Z");
const HOUR_MS = 3_600_000;
const ROW: MeterRow = {
  meterId: "M-17",
  commodity: "electric",
  profile: "generic-eu",
  group: ["north", "pilot"],
  feeder: "F-1",
  collector: null,
  place: { latitude: 47.1, longitude: 8.5 },
  lastCommunication: NOW - 2 * HOUR_MS,
  power: null,
  missingToday: 12,
};

describe("a filter over meters", () => {
  it.each<{ filter: MeterFilter; matches: boolean | undefined }>([
    { filter: { idPrefix: "M-1" }, matches: true },
    { filter: { commodity: ["gas", "electric"] }, matches: true },
    { filter: { commodity: ["gas"] }, matches: false },
    { filter: { group: ["pilot"], feeder: ["F-1"] }, matches: true },
    { filter: { group: ["pilot"], feeder: ["F-2"] }, matches: false },
    { filter: { collector: ["C-1"] }, matches: false },
    { filter: { kind: "lastCommunication", olderThanMinutes: 120 }, matches: true },
    { filter: { kind: "lastCommunication", olderThanMinutes: 121 }, matches: false },
    { filter: { kind: "lastCommunication", withinMinutes: 120 }, matches: false },
    { filter: { kind: "missingToday", from: 1, to: 12 }, matches: true },
    { filter: { kind: "missingToday", from: 13 }, matches: false },
    { filter: { kind: "power", in: ["off"] }, matches: false },
    { filter: { kind: "not", of: { kind: "power", in: ["off"] } }, matches: true },
    { filter: { kind: "power", known: false }, matches: true },
    { filter: { kind: "place", within: { south: 47, west: 8, north: 48, east: 9 } }, matches: true },
    { filter: { kind: "place", within: { south: 47, west: 170, north: 48, east: -170 } }, matches: false },
    { filter: { kind: "switch", in: ["open"] }, matches: undefined },
    {
      filter: {
        kind: "all",
        of: [
          { kind: "switch", in: ["open"] },
          { kind: "group", in: ["south"] },
        ],
      },
      matches: false,
    },
    {
      filter: {
        kind: "any",
        of: [
          { kind: "switch", in: ["open"] },
          { kind: "group", in: ["north"] },
        ],
      },
      matches: true,
    },
  ])("$filter: $matches", ({ filter, matches }) => {
    expect(MeterFilter.parse(filter)).toEqual(filter);
    expect(evaluate(conditionOf(filter), ROW, NOW)).toBe(matches);
  });

  const deep = (levels: number): unknown =>
    levels === 1 ? { kind: "meterId", known: true } : { kind: "not", of: deep(levels - 1) };
  const wide = (nodes: number) => ({
    kind: "all",
    of: Array.from({ length: Math.ceil(nodes / 16) }, () => ({
      kind: "any",
      of: Array.from({ length: 15 }, () => ({ kind: "meterId", known: true })),
    })),
  });
  it.each<[string, unknown, string]>([
    ["nothing", {}, ""],
    ["an unknown field", { surprise: 1 }, ""],
    ["an empty list", { group: [] }, "group"],
    ["an unknown kind", { kind: "voltage", from: 1 }, "kind"],
    ["a word that the field has not", { kind: "all", of: [{ kind: "commodity", in: ["steam"] }] }, "of.0.in.0"],
    ["no test", { kind: "feeder" }, ""],
    ["two tests", { kind: "feeder", in: ["F"], known: true }, ""],
    ["a test of another type", { kind: "feeder", from: 1 }, ""],
    ["bounds the wrong way round", { kind: "missingToday", from: 2, to: 1 }, "to"],
    ["a fraction", { kind: "missingToday", from: 0.5 }, "from"],
    ["a box upside down", { kind: "place", within: { south: 1, west: 0, north: 0, east: 1 } }, "within.north"],
    ["a name with a blank", { kind: "feeder", in: ["F 1"] }, "in.0"],
    ["too many levels", deep(LEVELS_MAX + 1), "of.of.of.of.kind"],
    ["too many conditions", wide(80), ""],
  ])("refuses %s, and says where", (_what, filter, field) => {
    const answer = MeterFilter.safeParse(filter);
    expect(answer.error?.issues[0]?.path.join(".")).toBe(field);
  });

  it("takes as many levels and conditions as it says", () => {
    expect(MeterFilter.safeParse(deep(LEVELS_MAX)).success).toBe(true);
    expect(MeterFilter.safeParse(wide(48)).success).toBe(true);
  });

  it("takes whatever can be built of its fields, unchanged", () => {
    fc.assert(
      fc.property(conditions(METER_FIELDS, 3), (condition) => {
        expect(MeterFilter.parse(JSON.parse(JSON.stringify(condition)))).toEqual(condition);
      }),
    );
  });
});

describe("a row that leaves facts out", () => {
  it("is never decided otherwise than with them", () => {
    fc.assert(
      fc.property(
        conditions<MeterField>(METER_FIELDS, 3),
        rows<MeterField>(METER_FIELDS, NOW),
        fc.subarray(Object.keys(METER_FIELDS) as MeterField[]),
        (condition, row, kept) => {
          const whole = evaluate(condition, row, NOW);
          expect(whole).toBeTypeOf("boolean");
          const partial = evaluate(condition, Object.fromEntries(kept.map((name) => [name, row[name]])), NOW);
          if (partial !== undefined) expect(partial).toBe(whole);
          if (namedIn(condition).every((name) => kept.includes(name))) expect(partial).toBe(whole);
        },
      ),
    );
  });
});

const namedIn = (condition: Condition<MeterField>): readonly MeterField[] => testsIn(condition).map(({ kind }) => kind);

describe("the sentence of a filter", () => {
  it.each<{ filter: MeterFilter; sentence: string }>([
    {
      filter: { commodity: ["gas", "water"], idPrefix: "M-1" },
      sentence: "Meters of which the commodity is gas or water and the meter id begins with M-1.",
    },
    {
      filter: {
        kind: "all",
        of: [
          { kind: "group", in: ["a", "b", "c"] },
          {
            kind: "any",
            of: [
              { kind: "lastCommunication", olderThanMinutes: 1440 },
              { kind: "missingToday", from: 1 },
            ],
          },
          { kind: "not", of: { kind: "switch", in: ["open"] } },
        ],
      },
      sentence:
        "Meters of which one group is a, b or c and (the last communication was 1 day ago or longer, or never or the number missing today is at least 1 intervals) and not (the switch is open).",
    },
    {
      filter: { kind: "place", within: { south: 47, west: 8, north: 48, east: 9 } },
      sentence: "Meters of which the place lies between 47° and 48° north and from 8° to 9° east.",
    },
    {
      filter: { kind: "lastCommunication", withinMinutes: 90 },
      sentence: "Meters of which the last communication was less than 90 minutes ago.",
    },
    { filter: { kind: "keyVersion", from: 2, to: 2 }, sentence: "Meters of which the key version is 2." },
  ])("$sentence", ({ filter, sentence }) =>
    expect(explain(conditionOf(filter), METER_FIELDS, "Meters")).toBe(sentence),
  );

  it("names every value of the filter", () => {
    fc.assert(
      fc.property(conditions(METER_FIELDS, 3), (condition) => {
        const sentence = explain(condition, METER_FIELDS, "Meters");
        for (const name of namedIn(condition)) expect(sentence).toContain(METER_FIELDS[name].words);
      }),
    );
  });
});
