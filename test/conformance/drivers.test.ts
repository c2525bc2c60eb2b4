import { describe, expect, it } from "vitest";
import type { Measurement } from "../../shared/metering/measurement.ts";
import type { Operation } from "../../shared/metering/operation.ts";
import type { OperationResult } from "../../shared/metering/result.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { C1222, DLMS, measurementsOf, type Side, standingClock, type Trial } from "./two-protocols.ts";

const NOW = Date.parse("2026-11-10T09:07:13Z");
const DAY_MS = 86_400_000;
const QUARTER_MS = 900_000;
const lastQuarter = Math.floor(NOW / QUARTER_MS) * QUARTER_MS;

async function perform(side: Side, operation: Operation, part: Partial<Trial> = {}): Promise<OperationResult> {
  const session = await side.open({ clock: standingClock(NOW), ...part });
  const result = await session.perform(operation);
  await session.release();
  return result;
}

/** What the engine is told of a failure; codes are the protocols' own. */
async function failure(side: Side, operation: Operation, part: Partial<Trial>): Promise<object> {
  try {
    await perform(side, operation, part);
  } catch (error) {
    if (!(error instanceof HeadraceError)) throw error;
    return { reason: "reason" in error ? error.reason : error.code, retry: error.retry };
  }
  return { reason: "none" };
}

const range = (fromMs: number, toMs: number): Operation => ({
  kind: "readIntervals",
  range: { from: lastQuarter + fromMs, to: lastQuarter + toMs },
});

/** Measurements that both models map. */
const COMMON: readonly Measurement[] = measurementsOf(DLMS).filter((one) => measurementsOf(C1222).includes(one));

const OPERATIONS: readonly (readonly [string, Operation])[] = [
  [
    "the last day with totals",
    { kind: "readIntervals", range: { from: lastQuarter - DAY_MS, to: lastQuarter }, registers: "total" },
  ],
  ["one interval", range(-QUARTER_MS, 0)],
  ["an hour four days ago", range(-4 * DAY_MS, -4 * DAY_MS + 4 * QUARTER_MS)],
  ["ten days", range(-10 * DAY_MS, 0)],
  ["a range that has not been", range(QUARTER_MS, 2 * QUARTER_MS)],
  ["a range that begins and ends off the grid", range(-3 * QUARTER_MS - 1000, -1000)],
  ["every register that both models have", { kind: "readRegisters", measurements: [...COMMON] }],
  ["one register", { kind: "readRegisters", measurements: ["voltage.l1.line"] }],
  [
    "a register that the model has not",
    { kind: "readRegisters", measurements: ["energy.active.import.total", "volume.gas"] },
  ],
  ["the meter behind its interface", { kind: "ping", depth: "meter" }],
  ["the interface", { kind: "ping", depth: "network" }],
];

describe("the same meter by either protocol gives the same neutral result", () => {
  it.each(OPERATIONS)("%s", async (_, operation) => {
    const [dlms, c1222] = await Promise.all([perform(DLMS, operation), perform(C1222, operation)]);
    const { clockOffsetMs: own, ...result } = c1222;
    const { clockOffsetMs: other, ...expected } = dlms;
    expect(result).toEqual(expected);
    // A clock is read to the second.
    if (own !== undefined && other !== undefined) expect(Math.abs(own - other)).toBeLessThan(1000);
    if (operation.kind === "readIntervals" && operation.range.to <= lastQuarter)
      expect(result.intervals[0]?.entries).toHaveLength(
        Math.round((operation.range.to - operation.range.from) / QUARTER_MS),
      );
  });
});

const FAULTS: readonly (readonly [string, Partial<Trial>])[] = [
  ["another key than the enrolled one", { enrolledKey: "ab".repeat(16) }],
  ["a meter that never answers", { fault: "silent" }],
  ["a meter that closes in the middle of a long answer", { fault: "drops" }],
  ["a slow meter", { fault: "slow" }],
  ["a meter that does not listen", { fault: "closed" }],
];
describe("what goes wrong has the same reason", () => {
  it.each(FAULTS)("%s", async (_, part) => {
    const operation = range(-DAY_MS, 0);
    expect(await failure(C1222, operation, part)).toEqual(await failure(DLMS, operation, part));
  });
});
