import { describe, expect, it } from "vitest";
import { MeterId } from "../../shared/metering/meter.ts";
import type { RegisteredMeter } from "../../shared/registry/registered-meter.ts";
import { keptMemberships } from "./kept-memberships.ts";

const M = (id: string): MeterId => MeterId.parse(id);
const registered = (feeder: string): RegisteredMeter =>
  ({ meter: { memberships: { groups: ["north"], feeder } }, place: { segment: 3, slot: 1 } }) as never;

describe("where meters belong", () => {
  it("is read in one go for those that were not asked for lately, and again after ten minutes", async () => {
    const reads: (readonly string[])[] = [];
    let now = 0;
    let feeder = "F1";
    const memberships = keptMemberships(
      {
        meters: async (meterIds) => {
          reads.push(meterIds);
          return new Map(meterIds.filter((id) => id !== "gone").map((id) => [id, registered(feeder)] as const));
        },
      },
      () => now,
    );
    const first = await memberships([M("a"), M("b"), M("gone")]);
    expect([...first.keys()]).toEqual(["a", "b"]);
    expect(first.get(M("a"))).toEqual({ segment: 3, groups: ["north"], feeder: "F1" });
    feeder = "F2";
    now = 599_999;
    expect((await memberships([M("a"), M("gone"), M("c")])).get(M("a"))?.feeder).toBe("F1");
    now = 600_000;
    expect((await memberships([M("a")])).get(M("a"))?.feeder).toBe("F2");
    expect(reads).toEqual([["a", "b", "gone"], ["c"], ["a"]]);
  });
});
