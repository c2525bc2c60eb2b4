import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isLogic, LEVELS_MAX, partsOf } from "../../shared/queries/language/condition.ts";
import { conditions } from "../../shared/queries/language/condition-fixture.ts";
import type { Field } from "../../shared/queries/language/field.ts";
import { METER_FIELDS } from "../../shared/queries/language/meter-fields.ts";
import { type MeterCondition, MeterFilter } from "../../shared/queries/language/meter-filter.ts";
import {
  askedOf,
  type ConditionChoice,
  changed,
  choiceOf,
  choiceRefusal,
  conditionFor,
  depthOf,
  type NodeChoice,
  nextId,
  type QueryChoice,
  type QueryField,
  sizeOf,
  type TestName,
  testsFor,
} from "./query-choice.ts";

const METERS: readonly QueryField[] = Object.entries<Field>(METER_FIELDS).map(([name, field]) => ({ name, ...field }));
const FIELDS: readonly QueryField[] = [
  { name: "group", words: "group", type: "name", many: true },
  { name: "feeder", words: "feeder", type: "name" },
  { name: "missingYesterday", words: "number missing yesterday", type: "number", unit: "intervals" },
  { name: "lastCommunication", words: "last communication", type: "age" },
  { name: "place", words: "place", type: "place" },
];
const line = (field: string, test: TestName, value: string, not = false): ConditionChoice => ({
  id: 1,
  field,
  test,
  value,
  not,
});

const joined = (join: "all" | "any", of: readonly NodeChoice[]): QueryChoice => ({
  over: "meters",
  root: { id: 100, join, not: false, of },
});

/** A group of one is that one, and what is turned round twice is as it was. */
function normal(filter: MeterCondition): MeterCondition {
  if (!isLogic(filter)) return filter;
  const parts = partsOf(filter).map(normal);
  const [first] = parts;
  if (first === undefined) return filter;
  if (filter.kind === "not") return first.kind === "not" ? (first.of as MeterCondition) : { kind: "not", of: first };
  return parts.length === 1 ? first : { ...filter, of: parts };
}

describe("the form of a query", () => {
  it("asks any valid filter that it is given as it was", () => {
    fc.assert(
      fc.property(conditions(METER_FIELDS, LEVELS_MAX), (filter) => {
        const choice = choiceOf("meters", filter);
        expect(choiceRefusal(choice.root, METERS)).toBeUndefined();
        expect(askedOf(choice).filter).toEqual(normal(filter));
        expect(MeterFilter.safeParse(askedOf(choice).filter).success).toBe(true);
      }),
    );
  });

  it("shows the short form of a filter in its conditions", () => {
    const choice = choiceOf("meters", { commodity: ["gas"], idPrefix: "M-" });
    expect(askedOf(choice).filter).toEqual({
      kind: "all",
      of: [
        { kind: "commodity", in: ["gas"] },
        { kind: "meterId", startsWith: "M-" },
      ],
    });
  });

  it("tells how deep it nests, and keeps values with blanks and quotes apart", () => {
    const inner = {
      id: 2,
      join: "any",
      not: true,
      of: [line("group", "in", "a", true), line("feeder", "in", "b")],
    } as const;
    const { root } = joined("all", [inner, line("feeder", "in", 'F-1, "a b", "say ""x"""')]);
    expect(sizeOf(root)).toEqual({ levels: 5, nodes: 7 });
    expect(depthOf(root, 2)).toBe(1);
    expect(depthOf(root, 77)).toBeUndefined();
    expect(nextId(root)).toBe(101);
    expect(askedOf({ over: "meters", root }).filter).toMatchObject({
      of: [{ kind: "not", of: { kind: "any" } }, { in: ["F-1", "a b", 'say "x"'] }],
    });
    const without = changed(root, 2, () => undefined);
    expect(without.of).toHaveLength(1);
  });

  it.each<[ConditionChoice, object]>([
    [line("group", "in", "north, pilot"), { kind: "group", in: ["north", "pilot"] }],
    [line("feeder", "startsWith", " F-1 "), { kind: "feeder", startsWith: "F-1" }],
    [line("feeder", "unknown", ""), { kind: "feeder", known: false }],
    [line("missingYesterday", "from", "3"), { kind: "missingYesterday", from: 3 }],
    [line("lastCommunication", "olderThanMinutes", "60"), { kind: "lastCommunication", olderThanMinutes: 60 }],
    [line("place", "within", "47 8 48.5 9"), { kind: "place", within: { south: 47, west: 8, north: 48.5, east: 9 } }],
    [line("group", "in", "a", true), { kind: "not", of: { kind: "group", in: ["a"] } }],
  ])("asks %j as the API takes it", (condition, filter) => {
    expect(choiceRefusal(condition, FIELDS)).toBeUndefined();
    expect(askedOf(joined("all", [condition]))).toEqual({ over: "meters", filter });
    expect(MeterFilter.parse(filter)).toEqual(filter);
  });

  it("joins several lines as it says", () => {
    const conditions = [line("group", "in", "a"), line("feeder", "known", "")];
    expect(askedOf(joined("any", conditions))).toEqual({
      over: "meters",
      filter: {
        kind: "any",
        of: [
          { kind: "group", in: ["a"] },
          { kind: "feeder", known: true },
        ],
      },
    });
  });

  it.each([
    line("group", "in", " , "),
    line("missingYesterday", "from", "-1"),
    line("lastCommunication", "withinMinutes", "0"),
    line("place", "within", "1 2 3"),
    line("nothing", "known", ""),
  ])("says what is expected of %j", (condition) => expect(choiceRefusal(condition, FIELDS)?.expected).toMatch(/\.$/));

  it("offers no beginning of a fact that has several values", () => {
    expect(testsFor(FIELDS[0] as QueryField).map(([test]) => test)).toEqual(["in", "known", "unknown"]);
    expect(conditionFor(7, FIELDS[3] as QueryField)).toMatchObject({ id: 7, test: "olderThanMinutes", value: "" });
  });
});
