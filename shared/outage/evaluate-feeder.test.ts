import { describe, expect, it } from "vitest";
import { metersBelow, treeOf } from "./electrical-tree.ts";
import { OUTAGE_POLICY } from "./evaluate-feeder.ts";
import { Feeder, METERS, MINUTE_MS, of, T0 } from "./outage-fixture.ts";

const at = (minutes: number): number => T0 + minutes * MINUTE_MS;
const told = ({ record: { outbox } }: { record: Feeder["record"] }) =>
  Object.fromEntries(outbox.map(({ node, state }) => [node, state]));

describe("an outage", () => {
  it("is declared of a transformer by a share of its meters' last gasps, once the hold time is over", () => {
    const feeder = new Feeder();
    feeder.lose(at(0), ...of("T3", 4));
    const held = feeder.look(at(0.5));
    expect([held.record.open, held.waits]).toEqual([[], true]);
    expect(told(feeder.look(at(1.1)))).toEqual({ T3: "confirmed" });
    expect(feeder.record.open[0]).toMatchObject({
      kind: "transformer",
      startedAt: at(0),
      evidence: { meters: 6, gasped: 4, silent: 0, supplied: 0 },
    });
  });

  it("is of the device that all have above them, and the smaller ones found before are part of it", () => {
    const feeder = new Feeder();
    feeder.lose(at(0), ...of("T1", 4));
    feeder.look(at(1.1));
    feeder.lose(at(2), ...of("T2", 4), ...of("T3", 4), ...of("T4", 5));
    const decision = feeder.look(at(3.1));
    expect(told(decision)).toEqual({ T1: "merged", F1: "confirmed" });
    const [part, whole] = decision.record.outbox;
    expect(part?.mergedInto).toBe(whole?.outageId);
  });

  it("of a single meter is suspected while its neighbours are asked, and theirs when they answer no more", () => {
    const alone = new Feeder();
    alone.lose(at(0), "T3-M0");
    const asked = alone.look(at(1.1));
    expect(alone.open).toEqual({ "T3-M0": "suspected" });
    expect(asked.pings.filter((meterId) => meterId.startsWith("T3")).length).toBeGreaterThanOrEqual(3);
    alone.answer(at(2), ...asked.pings);
    alone.look(at(2.1));
    expect(alone.open).toEqual({ "T3-M0": "confirmed" });

    const shared = new Feeder();
    shared.lose(at(0), "T3-M0");
    shared.silent(at(2), ...shared.look(at(1.1)).pings);
    shared.look(at(2.1));
    expect(shared.open).toEqual({ T3: "confirmed" });
  });

  it("is none where gasps are over within the hold time: momentary interruptions are counted once", () => {
    const feeder = new Feeder();
    feeder.lose(at(0), ...of("T1"), ...of("T2"));
    feeder.back(at(0.4), ...of("T1"), ...of("T2"));
    const decision = feeder.look(at(1.2));
    expect([decision.record.open, decision.momentaries, decision.waits]).toEqual([[], 12, false]);
    expect(feeder.look(at(2.2)).momentaries).toBe(0);
  });

  it("is not declared of those whose notice of restoration was lost: they are asked", () => {
    const feeder = new Feeder();
    feeder.lose(at(0), ...of("T1"), ...of("T2"));
    feeder.back(at(0.4), ...of("T1", 4), ...of("T2", 3));
    const decision = feeder.look(at(1.2));
    expect(feeder.open).toEqual({});
    expect([...decision.pings].sort()).toEqual(["T1-M4", "T1-M5", "T2-M3", "T2-M4", "T2-M5"]);
    feeder.answer(at(2), ...decision.pings);
    expect([feeder.look(at(2.2)).waits, feeder.open]).toEqual([false, {}]);
  });

  it("is found within another as that is restored, by those that stay silent", () => {
    const feeder = new Feeder();
    feeder.lose(at(0), ...of("T1", 4), ...of("T2", 4), ...of("T3", 4), ...of("T4", 4));
    feeder.look(at(2));
    expect(feeder.open).toEqual({ F1: "confirmed" });
    feeder.back(at(60), ...of("T1", 3), ...of("T2", 3), ...of("T4", 3));
    let asked = feeder.look(at(60.5)).pings;
    expect(feeder.open).toEqual({ F1: "restoring" });
    for (const minute of [62, 64, 66, 68]) {
      feeder.answer(at(minute), ...asked.filter((meterId) => !meterId.startsWith("T3")));
      feeder.silent(at(minute), ...asked.filter((meterId) => meterId.startsWith("T3")));
      asked = feeder.look(at(minute + 0.2)).pings;
    }
    expect(feeder.open).toEqual({ T3: "confirmed" });
    expect(feeder.record.open[0]).toMatchObject({ startedAt: at(0), within: expect.any(String) });
    feeder.back(at(90), ...of("T3"));
    expect(told(feeder.look(at(90.2)))).toEqual({ T3: "restored" });
  });

  it("is another one than that of its device which was part of the larger one, and is told anew", () => {
    const feeder = new Feeder();
    feeder.lose(at(0), ...of("T3"));
    feeder.look(at(1.1));
    const before = feeder.record.open[0]?.outageId;
    feeder.lose(at(0.2), ...of("T1"), ...of("T2"), ...of("T4"));
    feeder.look(at(2));
    expect(feeder.open).toEqual({ F1: "confirmed" });
    feeder.back(at(60), ...of("T1"), ...of("T2"), ...of("T4"));
    let asked = feeder.look(at(60.5)).pings;
    for (const minute of [62, 64, 66]) {
      feeder.silent(at(minute), ...asked);
      asked = feeder.look(at(minute + 0.2)).pings;
    }
    expect(feeder.open).toEqual({ T3: "confirmed" });
    expect(feeder.record.open[0]?.outageId).not.toBe(before);
  });

  it("is withdrawn when answers speak against it", () => {
    const feeder = new Feeder();
    feeder.lose(at(0), ...of("T3", 2));
    feeder.look(at(1.1));
    expect(feeder.open).toEqual({ T3: "confirmed" });
    feeder.answer(at(3), "T3-M2", "T3-M3", "T3-M4", "T3-M5");
    expect(told(feeder.look(at(3.1)))).toMatchObject({ T3: "withdrawn" });
    feeder.look(at(3.1) + OUTAGE_POLICY.suspectMs);
    expect(feeder.open).toEqual({ "T3-M0": "confirmed", "T3-M1": "confirmed" });
  });

  it("that nobody tells the end of is asked after", () => {
    const feeder = new Feeder();
    feeder.lose(at(0), "T3-M0");
    feeder.answer(at(1.5), ...feeder.look(at(1.1)).pings);
    feeder.look(at(2));
    const again = Array.from({ length: 20 }, (_, minute) => feeder.look(at(3 + minute)).pings).flat();
    expect(again).toContain("T3-M0");
  });

  it("is decided the same by the same evidence, however often", () => {
    const feeder = new Feeder();
    feeder.lose(at(0), ...of("T1", 4), ...of("T3", 1));
    feeder.look(at(1.1));
    const once = feeder.record;
    const again = feeder.look(at(1.1));
    expect([again.changed, again.pings, again.record.outbox]).toEqual([false, [], []]);
    expect(feeder.record).toEqual(once);
  });
});

describe("the electrical tree", () => {
  it("hangs what nobody describes, and rings, on the feeder", () => {
    const tree = treeOf(
      "F1",
      [
        { node: "A", kind: "lateral", parent: "B", feeder: "F1" },
        { node: "B", kind: "lateral", parent: "A", feeder: "F1" },
        { node: "C", kind: "lateral", parent: "nowhere", feeder: "F1" },
        { node: "T1", kind: "transformer", parent: "A", feeder: "F1" },
        { node: "X", kind: "lateral", parent: "F2", feeder: "F2" },
      ],
      METERS,
    );
    expect(tree.children.map(({ name }) => name)).toEqual(["A", "B", "C", "T1", "T2", "T3", "T4"]);
    expect(metersBelow(tree)).toHaveLength(METERS.length);
  });
});
