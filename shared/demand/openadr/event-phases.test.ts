import { describe, expect, it } from "vitest";
import { phasesOf } from "./event-phases.ts";
import { durationMs, instantMs } from "./iso-time.ts";
import { inVersion } from "./objects.ts";

const NOW = Date.parse("2026-07-01T10:00:00Z");
const START = "2026-07-01T16:00:00Z";
const AT = Date.parse(START);
const HOUR_MS = 3_600_000;
const simple = (level: number) => [{ type: "SIMPLE", values: [level] }];

describe("durations and instants of OpenADR", () => {
  it.each([
    ["PT1H", HOUR_MS],
    ["P1DT30M", 24.5 * HOUR_MS],
    ["PT0S", 0],
    ["PT1.5S", 1_500],
    ["-PT5M", -300_000],
    ["P1W", 168 * HOUR_MS],
  ])("%s", (text, ms) => expect(durationMs(text)).toBe(ms));
  it.each(["", "P", "PT", "1H", "PT1X", "P1H"])("%j is no duration", (text) =>
    expect(durationMs(text)).toBeUndefined(),
  );
  it("the years 0 and 1 are now", () => {
    expect(instantMs("0001-01-01T00:00:00Z", NOW)).toBe(NOW);
    expect(instantMs("0000-00-00", NOW)).toBe(NOW);
    expect(instantMs("soon", NOW)).toBeUndefined();
  });
});

describe("phases of an event", () => {
  it("intervals follow each other from the event's start, and have its duration", () => {
    const outcome = phasesOf(
      {
        programID: "p",
        intervalPeriod: { start: START, duration: "PT1H", randomizeStart: "PT10M" },
        intervals: [
          { id: 0, payloads: simple(1) },
          { id: 1, payloads: simple(3) },
          { id: 2, payloads: simple(0) },
        ],
      },
      NOW,
    );
    expect(outcome).toEqual({
      kind: "phases",
      randomSeconds: 600,
      phases: [
        { from: AT, to: AT + HOUR_MS, control: { mode: "cycle", periodSeconds: 1_800, offSeconds: 600 } },
        { from: AT + HOUR_MS, to: AT + 2 * HOUR_MS, control: { mode: "off" } },
        { from: AT + 2 * HOUR_MS, to: AT + 3 * HOUR_MS },
      ],
    });
  });
  it("an interval's own period goes before the event's", () => {
    const own = { start: "2026-07-01T18:00:00Z", duration: "PT30M" };
    const intervals = [{ id: 0, intervalPeriod: own, payloads: [{ type: "IMPORT_CAPACITY_LIMIT", values: [1.5] }] }];
    const outcome = phasesOf({ programID: "p", intervalPeriod: { start: START, duration: "PT1H" }, intervals }, NOW);
    const from = AT + 2 * HOUR_MS;
    expect(outcome).toMatchObject({
      phases: [{ from, to: from + HOUR_MS / 2, control: { mode: "limit", watts: 1_500 } }],
    });
  });
  it("prices ask nothing of loads: a day of them is one phase", () => {
    const intervals = Array.from({ length: 288 }, (_, id) => ({ id, payloads: [{ type: "PRICE", values: [id] }] }));
    const outcome = phasesOf({ programID: "p", intervalPeriod: { start: START, duration: "PT5M" }, intervals }, NOW);
    expect(outcome).toMatchObject({ phases: [{ from: AT, to: AT + 24 * HOUR_MS }] });
  });
  it("now without end is accepted of a price and refused of a control", () => {
    const intervalPeriod = { start: "0001-01-01T00:00:00Z", duration: "P9999Y" };
    const price = {
      programID: "p",
      intervalPeriod,
      intervals: [{ id: 0, payloads: [{ type: "PRICE", values: [1] }] }],
    };
    expect(phasesOf(price, NOW)).toMatchObject({ kind: "phases", phases: [{ from: NOW }] });
    const off = { ...price, intervals: [{ id: 0, payloads: simple(3) }] };
    expect(phasesOf(off, NOW)).toMatchObject({ kind: "refused", field: "intervals" });
  });
  it("intervals that overlap are refused", () => {
    const at = (start: string) => ({ start, duration: "PT1H" });
    const intervals = [
      { id: 0, intervalPeriod: at(START), payloads: simple(3) },
      { id: 1, intervalPeriod: at("2026-07-01T16:30:00Z"), payloads: simple(1) },
    ];
    expect(phasesOf({ programID: "p", intervals }, NOW)).toMatchObject({ kind: "refused" });
  });
});

describe("targets", () => {
  it("are pairs in 3.0.1 and strings in 3.1.0, whoever said them", () => {
    const typed = [{ type: "POWER_SERVICE_LOCATION", values: ["a", "b"] }];
    expect(inVersion("3.1.0", { targets: typed })).toEqual({ targets: ["a", "b"] });
    expect(inVersion("3.0.1", { targets: typed })).toEqual({ targets: typed });
    expect(inVersion("3.0.1", { targets: ["a"] })).toEqual({ targets: [{ type: "GROUP", values: ["a"] }] });
  });
});
