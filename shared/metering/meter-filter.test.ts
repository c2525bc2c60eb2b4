import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Meter } from "./meter.ts";
import { bySetsAlone, MeterFilter, matchesFilter, mayMatch } from "./meter-filter.ts";

type Known = Pick<Meter, "meterId" | "commodity" | "profile" | "memberships">;
const METER: Known = {
  meterId: "M-17" as Meter["meterId"],
  commodity: "electric",
  profile: "generic-eu",
  memberships: { groups: ["north", "pilot"], feeder: "F-1" },
};

describe("a filter over meters", () => {
  it.each<{ filter: MeterFilter; matches: boolean }>([
    { filter: { idPrefix: "M-1" }, matches: true },
    { filter: { idPrefix: "M-2" }, matches: false },
    { filter: { commodity: ["gas", "electric"] }, matches: true },
    { filter: { commodity: ["gas"] }, matches: false },
    { filter: { group: ["pilot"], feeder: ["F-1"] }, matches: true },
    { filter: { group: ["pilot"], feeder: ["F-2"] }, matches: false },
    { filter: { collector: ["C-1"] }, matches: false },
    { filter: { profile: ["generic-eu"], transformer: ["T"] }, matches: false },
  ])("$filter: $matches", ({ filter, matches }) => expect(matchesFilter(filter, METER)).toBe(matches));

  it.each([{}, { surprise: 1 }, { group: [] }, { idPrefix: "" }, { commodity: ["steam"] }])("%j is refused", (filter) =>
    expect(MeterFilter.safeParse(filter).success).toBe(false),
  );

  const name = fc.constantFrom("a", "b", "c");
  const names = fc.uniqueArray(name, { minLength: 1, maxLength: 3 });
  const meter = fc.record({
    meterId: fc.constantFrom("A-1", "A-2", "B-1").map((id) => id as Meter["meterId"]),
    commodity: fc.constantFrom("electric" as const, "gas" as const),
    profile: name,
    memberships: fc.record(
      { groups: fc.uniqueArray(name), feeder: name, collector: name },
      { requiredKeys: ["groups"] },
    ),
  });
  const filter = fc.record(
    {
      commodity: fc.constant<"gas"[]>(["gas"]),
      profile: names,
      group: names,
      feeder: names,
      collector: names,
      idPrefix: fc.constantFrom("A", "B-"),
    },
    { requiredKeys: [] },
  );

  it("never rules out by the access item what it matches by the registry", () => {
    fc.assert(
      fc.property(filter, meter, (asked, known) => {
        const { collector } = known.memberships;
        const access = {
          meterId: known.meterId,
          profile: { name: known.profile },
          ...(collector === undefined ? {} : { collector }),
        };
        if (matchesFilter(asked, known)) expect(mayMatch(asked, access)).toBe(true);
      }),
    );
  });

  it("matches less with every condition more, and more with every value more", () => {
    fc.assert(
      fc.property(filter, filter, meter, (one, other, known) => {
        const both = matchesFilter({ ...other, ...one }, known);
        if (both) expect(matchesFilter(one, known)).toBe(true);
        if (one.group !== undefined && matchesFilter(one, known))
          expect(matchesFilter({ ...one, group: ["a", "b", "c"] }, known)).toBe(true);
        expect(bySetsAlone({ ...one, idPrefix: "A" })).toBe(false);
      }),
    );
  });
});
