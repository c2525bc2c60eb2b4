import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { TimelineEntry } from "../events/timeline.ts";
import { judgeNoPower, type PowerFacts } from "./no-power-verdict.ts";
import { interruptionsOf } from "./power-history.ts";
import { readNodes } from "./read-nodes.ts";

const facts = (change: Partial<PowerFacts>): PowerFacts => ({
  meter: "answered",
  lineVolts: [231],
  loadVolts: [230],
  openByOrder: false,
  lastGasp: false,
  neighbours: { asked: 0, supplied: 0, silent: 0, off: 0 },
  waiting: false,
  outage: false,
  ...change,
});
const near = (supplied: number, silent: number, off = 0) => ({ asked: supplied + silent + off, supplied, silent, off });

describe("a call that there is no power", () => {
  it.each<[string, Partial<PowerFacts>, string, string]>([
    ["supply up to the meter's load side", { switchOpen: false }, "customer-side", "supply-up-to-the-meter"],
    [
      "a switch that an order opened",
      { switchOpen: true, openByOrder: true, loadVolts: [0] },
      "by-order",
      "switch-open-by-order",
    ],
    ["a switch that opened by itself", { switchOpen: true, loadVolts: [0] }, "customer-side", "switch-open-by-itself"],
    ["a closed switch with a dead load side", { switchOpen: false, loadVolts: [3] }, "utility-side", "load-side-dead"],
    ["a dead line side", { lineVolts: [2] }, "utility-side", "line-side-dead"],
    ["a phase that is missing", { lineVolts: [231, 12, 230], loadVolts: [] }, "utility-side", "phase-missing"],
    ["an outage that is known", { meter: "asking", outage: true }, "utility-side", "outage-known"],
    ["a last gasp and silence", { meter: "silent", lastGasp: true }, "utility-side", "last-gasp"],
    ["silence all around", { meter: "silent", neighbours: near(0, 3) }, "utility-side", "neighbours-out"],
    ["silence alone", { meter: "silent", neighbours: near(3, 0) }, "unknown", "meter-silent-neighbours-supplied"],
    ["silence, and one neighbour's", { meter: "silent", neighbours: near(0, 1) }, "unknown", "meter-silent"],
    [
      "a module without its meter",
      { meter: "module-only", neighbours: near(2, 0) },
      "unknown",
      "meter-dead-module-alive",
    ],
    ["nothing heard yet", { meter: "asking", lastGasp: true }, "unknown", "asking"],
  ])("with %s", (_, change, verdict, because) => {
    expect(judgeNoPower(facts(change))).toEqual({ verdict, because });
  });

  it("is never the customer's, nor by order, unless the meter itself has answered", () => {
    const any = fc.record({
      meter: fc.constantFrom("asking" as const, "module-only" as const, "silent" as const),
      lineVolts: fc.array(fc.integer({ min: 0, max: 260 }), { maxLength: 3 }),
      loadVolts: fc.array(fc.integer({ min: 0, max: 260 }), { maxLength: 3 }),
      switchOpen: fc.boolean(),
      openByOrder: fc.boolean(),
      lastGasp: fc.boolean(),
      neighbours: fc.constantFrom(near(0, 0), near(0, 3), near(3, 0), near(1, 1, 1)),
      waiting: fc.boolean(),
      outage: fc.boolean(),
    });
    fc.assert(
      fc.property(any, (found) => ["utility-side", "unknown"].includes(judgeNoPower(found).verdict)),
      { numRuns: 300 },
    );
  });
});

describe("interruptions by a meter's own account", () => {
  const entry = (at: number, event: string): TimelineEntry =>
    ({ kind: "event", at, event, log: "l", code: "1", receivedAt: at, batch: "b" }) as TimelineEntry;
  const said = [
    entry(100_000, "power.last-gasp"),
    entry(101_000, "power.failed"),
    entry(130_000, "power.restored-notice"),
    entry(131_000, "power.restored"),
    entry(500_000, "power.failed"),
    entry(900_000, "power.restored"),
    entry(2_000_000, "power.last-gasp"),
  ];
  it("are momentary within the hold time, each counted once however it was told", () => {
    const expected = [
      { from: 100_000, to: 130_000, momentary: true },
      { from: 500_000, to: 900_000, momentary: false },
      { from: 2_000_000, momentary: false },
    ];
    expect(interruptionsOf(said, 60_000)).toEqual(expected);
    fc.assert(
      fc.property(fc.shuffledSubarray(said, { minLength: said.length }), (shuffled) => {
        expect(interruptionsOf([...shuffled, ...said], 60_000)).toEqual(expected);
      }),
    );
  });
});

describe("a CSV of electrical nodes", () => {
  it("is read row by row, and what is wrong with a row is named", () => {
    const rows = [
      ["feeder", "node", "kind", "parent"],
      ["F1", "L1", "lateral", "F1"],
      ["F1", "T1", "transformer", "L1"],
      ["F1", "T1", "transformer", "F1"],
      ["F1", "T2", "pole", "L1"],
      ["F1", "T3", "transformer", "T3"],
    ].map((cells, at) => ({ row: at + 1, cells }));
    const { nodes, problems } = readNodes(rows);
    expect(nodes.map(({ node }) => node)).toEqual(["L1", "T1"]);
    expect(problems.map(({ row, column }) => [row, column])).toEqual([
      [4, "node"],
      [5, "kind"],
      [6, "parent"],
    ]);
    expect(readNodes([{ row: 1, cells: ["node", "kind"] }]).problems).toHaveLength(2);
  });
});
