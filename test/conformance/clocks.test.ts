import { describe, expect, it } from "vitest";
import { intervalRecord } from "../../shared/bridge/task-report.ts";
import type { Operation } from "../../shared/metering/operation.ts";
import { INTERVAL_STATUS, type OperationResult } from "../../shared/metering/result.ts";
import { dayOf } from "../../shared/readings/day-block.ts";
import { QUALITY } from "../../shared/readings/quality.ts";
import { blocksOf } from "../../shared/readings/report-blocks.ts";
import type { MeterState } from "../../shared/simulator/meter-state.ts";
import { C1222, DLMS, type Side, standingClock } from "./two-protocols.ts";

/** Clocks that are off, measured and set by either driver. */

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const QUARTER_MS = 900_000;
const NOON = Date.parse("2026-11-10T12:07:13Z");

/** A meter on a clock that passes, and sessions with it. */
function bench(side: Side, part: { clockOffsetMs: number; clockPpm?: number }) {
  const clock = standingClock(NOON);
  let state: MeterState | undefined;
  const opened = side.open({ ...part, clock, recoversClock: true, onMeter: (meter) => (state = meter.parts.state) });
  return {
    clock,
    state: () => state as MeterState,
    ask: async (operation: Operation): Promise<OperationResult> => (await opened).perform(operation),
  };
}
const marksOf = ({ intervals }: OperationResult): readonly number[] =>
  (intervals[0]?.entries ?? []).flatMap(({ end, status }) =>
    (status & INTERVAL_STATUS.clockAdjusted) === 0 ? [] : [end],
  );

/** Beyond a quarter of an hour a C12.22 meter takes secured messages for late ones: it is asked in a recovery session. */
const FAR = HOUR_MS;

describe.each([DLMS, C1222])("the clock of a $protocol meter", (side) => {
  it("is measured by each session that reads, within its uncertainty and a second", async () => {
    const meter = bench(side, { clockOffsetMs: 0, clockPpm: 90 });
    const drift = async (): Promise<number> => {
      const { clockOffsetMs, clockUncertaintyMs } = await meter.ask({
        kind: "readIntervals",
        range: { from: NOON - DAY_MS, to: NOON },
      });
      expect(clockUncertaintyMs).toBeGreaterThanOrEqual(0);
      return clockOffsetMs ?? Number.NaN;
    };
    expect(Math.abs(await drift())).toBeLessThanOrEqual(1_000);
    await meter.clock.sleep(10 * DAY_MS); // 90 ppm are 7.8 s a day
    const { clockOffsetMs } = await bench(side, { clockOffsetMs: meter.state().clock.offsetMs }).ask({
      kind: "readRegisters",
      measurements: ["energy.active.import.total"],
    });
    expect(meter.state().clock.offsetMs).toBe(77_760);
    expect(Math.abs((clockOffsetMs ?? Number.NaN) - 77_760)).toBeLessThanOrEqual(1_000);
  });

  it("runs on with its drift after it was set", async () => {
    const meter = bench(side, { clockOffsetMs: 20_000, clockPpm: -50 });
    await meter.ask({ kind: "setClock" });
    expect(Math.abs(meter.state().clock.offsetMs)).toBeLessThanOrEqual(1_000);
    const set = meter.state().clock.offsetMs;
    await meter.clock.sleep(DAY_MS);
    expect(meter.state().clock.offsetMs - set).toBe(-4_320);
  });

  it.each([
    ["far ahead", FAR],
    ["far behind", -FAR],
  ])("%s is not set but by an order that says so", async (_, clockOffsetMs) => {
    const meter = bench(side, { clockOffsetMs });
    await expect(meter.ask({ kind: "setClock", upToMs: 600_000 })).rejects.toMatchObject({
      reason: "unsafe",
      code: "clock.too-far",
    });
    expect(meter.state().clock.offsetMs).toBe(clockOffsetMs);
    const { clockSet } = await meter.ask({ kind: "setClock", upToMs: 2 * HOUR_MS });
    expect(clockSet?.over).toEqual(["load"]);
    expect(Math.abs(clockSet?.afterMs ?? Number.NaN)).toBeLessThanOrEqual(1_000);
  });

  it("far ahead: what it captured says so, is coded, and no interval is missing when it is right again", async () => {
    const meter = bench(side, { clockOffsetMs: FAR });
    const day = dayOf(NOON);
    const blocksAt = async (range: { from: number; to: number }) => {
      const result = await meter.ask({ kind: "readIntervals", range });
      const { clockOffsetMs = 0, clockUncertaintyMs = 0 } = result;
      const intervals = result.intervals.map(intervalRecord);
      return {
        result,
        blocks: blocksOf({ at: meter.clock.now(), intervals, clockOffsetMs, clockUncertaintyMs }, "b".repeat(16)),
      };
    };
    const wrong = await blocksAt({ from: NOON - HOUR_MS, to: NOON + 2 * HOUR_MS });
    const coded = wrong.blocks.flatMap(({ block }) => [...block.entries.values()]);
    expect(coded.length).toBeGreaterThan(4);
    for (const { quality = 0 } of coded) expect(quality & QUALITY.clockDrift.bit).not.toBe(0);

    await meter.ask({ kind: "setClock", upToMs: 2 * HOUR_MS });
    await meter.clock.sleep(QUARTER_MS);
    const proof = await meter.ask({ kind: "setClock" }); // right already: it reads back how it was set
    const end = Math.ceil(NOON / QUARTER_MS) * QUARTER_MS;
    expect(marksOf(proof)).toContain(end);
    expect(proof.refusals).toEqual([]);

    await meter.clock.sleep(12 * HOUR_MS);
    const right = await blocksAt({ from: day, to: day + DAY_MS });
    const slots = right.blocks.find(({ block }) => block.day === day && block.period === 900)?.block.entries;
    expect(slots?.size).toBe(96);
    for (const { quality = 0 } of slots?.values() ?? []) expect(quality & QUALITY.clockDrift.bit).toBe(0);
    expect(marksOf(right.result)).toContain(end);
  });

  it("is set so often a day and no more", async () => {
    const meter = bench(side, { clockOffsetMs: 30_000 });
    const setOnce = async (): Promise<void> => {
      await meter.ask({ kind: "setClock", aDay: 2 });
      meter.state().clock.shift(30); // it is off again, and its log says that somebody set it
      await meter.clock.sleep(61_000);
    };
    await setOnce().catch(() => undefined); // who lives there may have had it set today already
    await expect(meter.ask({ kind: "setClock", aDay: 2 })).rejects.toMatchObject({
      reason: "unsafe",
      code: "clock.set-too-often",
      retry: "later",
    });
  });
});

it("a C12.22 meter that takes the present for long ago is silent to all but an order to its clock", async () => {
  const trial = { clock: standingClock(NOON), clockOffsetMs: -HOUR_MS };
  await expect(C1222.open(trial)).rejects.toMatchObject({ reason: "timeout" });
  const { access } = C1222.profile.protocol === "c1222" ? C1222.profile.c1222 : { access: undefined };
  expect(access?.recovery).toBeDefined();
  const session = await C1222.open({ ...trial, recoversClock: true });
  await session.effects?.baseline({ kind: "operateSwitch", to: "open" });
  await expect(session.effects?.operate({ kind: "operateSwitch", to: "open" })).rejects.toMatchObject({
    reason: "auth",
  });
});
