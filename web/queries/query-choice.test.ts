import { describe, expect, it } from "vitest";
import { MeterFilter } from "../../shared/queries/language/meter-filter.ts";
import {
  askedOf,
  type ConditionChoice,
  choiceRefusal,
  conditionFor,
  type QueryField,
  type TestName,
  testsFor,
} from "./query-choice.ts";

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

describe("the form of a query", () => {
  it.each<[ConditionChoice, object]>([
    [line("group", "in", "north, pilot"), { kind: "group", in: ["north", "pilot"] }],
    [line("feeder", "startsWith", " F-1 "), { kind: "feeder", startsWith: "F-1" }],
    [line("feeder", "unknown", ""), { kind: "feeder", known: false }],
    [line("missingYesterday", "from", "3"), { kind: "missingYesterday", from: 3 }],
    [line("lastCommunication", "olderThanMinutes", "60"), { kind: "lastCommunication", olderThanMinutes: 60 }],
    [line("place", "within", "47 8 48.5 9"), { kind: "place", within: { south: 47, west: 8, north: 48.5, east: 9 } }],
    [line("group", "in", "a", true), { kind: "not", of: { kind: "group", in: ["a"] } }],
  ])("asks %j as the API takes it", (condition, filter) => {
    expect(choiceRefusal({ over: "meters", join: "all", conditions: [condition] }, FIELDS)).toBeUndefined();
    expect(askedOf({ over: "meters", join: "all", conditions: [condition] })).toEqual({ over: "meters", filter });
    expect(MeterFilter.parse(filter)).toEqual(filter);
  });

  it("joins several lines as it says", () => {
    const conditions = [line("group", "in", "a"), line("feeder", "known", "")];
    expect(askedOf({ over: "meters", join: "any", conditions })).toEqual({
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
  ])("says what is expected of %j", (condition) =>
    expect(choiceRefusal({ over: "meters", join: "all", conditions: [condition] }, FIELDS)?.expected).toMatch(/\.$/),
  );

  it("offers no beginning of a fact that has several values", () => {
    expect(testsFor(FIELDS[0] as QueryField).map(([test]) => test)).toEqual(["in", "known", "unknown"]);
    expect(conditionFor(7, FIELDS[3] as QueryField)).toMatchObject({ id: 7, test: "olderThanMinutes", value: "" });
  });
});
