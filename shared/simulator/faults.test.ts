import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assignFaults, FAULT_KINDS, type FaultKind, type FaultShares, parseFaults, type Security } from "./faults.ts";

describe("the list of faults", () => {
  it("reads kinds and shares", () => {
    expect(parseFaults("silent=0.03,wrong-key=0.03, drops=0.5")).toEqual({
      silent: 0.03,
      "wrong-key": 0.03,
      drops: 0.5,
    });
    expect(parseFaults("")).toEqual({});
  });
  it.each([
    "loud=0.1",
    "silent",
    "silent=",
    "silent=2",
    "silent=-1",
    "silent=x",
    "silent=0.1=0.2",
    "silent=0.1,silent=0.1",
  ])("refuses %j and says what it takes", (text) => expect(() => parseFaults(text)).toThrow(/expected/));
});

describe("assigning faults", () => {
  const securities: readonly Security[] = Array.from({ length: 1000 }, (_, index) =>
    index % 10 === 7 ? "none" : index % 10 === 5 ? "secret" : "mutual",
  );
  it("gives each kind round(share × meters) meters, disjoint, the same for a seed", () => {
    const shares: FaultShares = {
      silent: 0.03,
      "wrong-key": 0.03,
      drops: 0.02,
      closed: 0.0204,
      slow: 0.02,
      echo: 0.01,
    };
    const assigned = assignFaults(5, securities, shares);
    for (const [kind, share] of Object.entries(shares))
      expect([...assigned.values()].filter((each) => each === kind)).toHaveLength(Math.round(share * 1000));
    expect(assignFaults(5, securities, shares)).toEqual(assigned);
    expect(assignFaults(6, securities, shares)).not.toEqual(assigned);
  });

  it("gives no meter a fault that it cannot show, whatever the shares", () => {
    const kinds = Object.keys(FAULT_KINDS) as FaultKind[];
    fc.assert(
      fc.property(
        fc.nat(),
        fc.array(fc.tuple(fc.constantFrom(...kinds), fc.double({ min: 0, max: 0.08, noNaN: true })), { maxLength: 9 }),
        (seed, list) => {
          for (const [index, fault] of assignFaults(seed, securities, Object.fromEntries(list))) {
            if (["wrong-proof", "echo", "replay", "high-counter"].includes(fault))
              expect(securities[index]).toBe("mutual");
            if (fault === "wrong-key") expect(securities[index]).not.toBe("none");
          }
        },
      ),
      { numRuns: 50 },
    );
    expect(() => assignFaults(1, ["none", "none"], { echo: 1 })).toThrow(/expected 2 meters that can be echo/);
    expect(() => assignFaults(1, ["none", "none"], { silent: 1, closed: 0.5 })).toThrow(/only 0 of 2 are left/);
  });
});
