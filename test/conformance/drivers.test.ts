import { describe, expect, it } from "vitest";
import type { Measurement } from "../../shared/metering/measurement.ts";
import type { OnceOperation, Operation, OperationKind } from "../../shared/metering/operation.ts";
import type { MeterEvent, OperationResult } from "../../shared/metering/result.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { CALENDAR } from "./calendars.ts";
import {
  C1222,
  DLMS,
  measurementsOf,
  type Side,
  standingClock,
  type Trial,
  withoutEquipment,
} from "./two-protocols.ts";

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

const LIMIT = { watts: 4_000, overSeconds: 120, underSeconds: 600, over: "disconnect", under: "none" } as const;
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
  ["voltage on both sides of the switch", { kind: "readVoltage" }],
  ["the switch", { kind: "readSwitch" }],
  ["the power limit", { kind: "readPowerLimit" }],
  ["a power limit that is set", { kind: "setPowerLimit", limit: LIMIT }],
  ["a power limit that is taken away", { kind: "setPowerLimit", limit: null }],
];

describe("the same meter by either protocol gives the same neutral result", () => {
  it.each(OPERATIONS)("%s", async (_, operation) => {
    const [dlms, c1222] = await Promise.all([perform(DLMS, operation), perform(C1222, operation)]);
    const { clockOffsetMs: own, clockUncertaintyMs: _own, ...result } = c1222;
    const { clockOffsetMs: other, clockUncertaintyMs: _other, ...expected } = dlms;
    expect(result).toEqual(expected);
    // A clock is read to the second.
    if (own !== undefined && other !== undefined) expect(Math.abs(own - other)).toBeLessThan(1000);
    if (operation.kind === "readIntervals" && operation.range.to <= lastQuarter)
      expect(result.intervals[0]?.entries).toHaveLength(
        Math.round((operation.range.to - operation.range.from) / QUARTER_MS),
      );
  });
});

/** Events that both models log, without what is the protocol's own: log, code and number. */
async function eventsOf(side: Side, part: Partial<Trial> = {}): Promise<readonly object[]> {
  const { events = [] } = await perform(
    side,
    { kind: "readEvents", range: { from: lastQuarter - 80 * DAY_MS, to: lastQuarter } },
    part,
  );
  return events.map(({ at, event }) => ({ at, event }));
}
const BOTH_LOG = [
  "power.failed",
  "power.restored",
  "voltage.under",
  "voltage.over",
  "tamper.cover-opened",
  "clock.set",
];

describe("what happened to the meter is told alike", () => {
  it("its events", async () => {
    const [dlms, c1222] = [await eventsOf(DLMS), await eventsOf(C1222)];
    const common = (events: readonly object[]) => events.filter((one) => BOTH_LOG.includes((one as MeterEvent).event));
    expect(common(c1222)).toEqual(common(dlms));
    expect(common(c1222).length).toBeGreaterThan(3);
  });

  it.each([
    ["a clock that is a minute fast", 61_000],
    ["a clock that is right", 500],
  ])("setting %s", async (_, clockOffsetMs) => {
    const part = { clockOffsetMs };
    const [dlms, c1222] = [
      await perform(DLMS, { kind: "setClock" }, part),
      await perform(C1222, { kind: "setClock" }, part),
    ];
    // A clock is read to the second.
    for (const when of ["beforeMs", "afterMs"] as const)
      expect(Math.abs((dlms.clockSet?.[when] ?? 1e6) - (c1222.clockSet?.[when] ?? -1e6))).toBeLessThanOrEqual(1000);
    expect(Math.abs(c1222.clockSet?.afterMs ?? 1e6)).toBeLessThanOrEqual(1000);
  });
});

/** One of each kind: a new kind has to have its place here. */
const EACH: Readonly<Record<Exclude<OperationKind, OnceOperation["kind"]>, Operation>> = {
  readRegisters: { kind: "readRegisters", measurements: ["energy.active.import.total"] },
  readIntervals: range(-DAY_MS, 0),
  readEvents: { kind: "readEvents", range: { from: lastQuarter - DAY_MS, to: lastQuarter } },
  readVoltage: { kind: "readVoltage" },
  readSwitch: { kind: "readSwitch" },
  setClock: { kind: "setClock" },
  controlLoad: { kind: "controlLoad", control: { mode: "release" } },
  ping: { kind: "ping", depth: "meter" },
  readBilling: { kind: "readBilling" },
  readCredit: { kind: "readCredit" },
  readPowerLimit: { kind: "readPowerLimit" },
  setPowerLimit: { kind: "setPowerLimit", limit: LIMIT },
  configurePush: { kind: "configurePush", content: "alarms", enabled: true },
  programTariff: { kind: "programTariff", calendar: CALENDAR },
  readTariff: { kind: "readTariff" },
  sendPrice: {
    kind: "sendPrice",
    price: { currency: "EUR", value: 4_512, scaler: -4 },
    from: lastQuarter,
    until: lastQuarter + DAY_MS,
    because: "critical-peak",
  },
};

const FAULTS: readonly (readonly [string, Partial<Trial>])[] = [
  ["another key than the enrolled one", { enrolledKey: "ab".repeat(16) }],
  ["a meter that never answers", { fault: "silent" }],
  ["a meter that closes in the middle of a long answer", { fault: "drops" }],
  ["a slow meter", { fault: "slow" }],
  ["a meter that does not listen", { fault: "closed" }],
];
describe.each(FAULTS)("%s has the same reason", (name, part) => {
  // Credit is nothing that a C12.22 model keeps.
  it.each(Object.values(EACH).filter(({ kind }) => kind !== "readCredit"))("for $kind", async (operation) => {
    // Where the answer is short, the one protocol's meter has no middle of it to close in.
    if (name.includes("long answer") && operation.kind !== "readIntervals") return;
    const trial = { ...part, clockOffsetMs: 61_000 };
    expect(await failure(C1222, operation, trial)).toEqual(await failure(DLMS, operation, trial));
  });
});

describe("what a model does not have is unsupported by either protocol", () => {
  it.each([
    "readVoltage",
    "readSwitch",
    "setClock",
    "readEvents",
    "readBilling",
    "controlLoad",
    "readPowerLimit",
    "setPowerLimit",
    "readCredit",
    "configurePush",
    "programTariff",
    "readTariff",
    "sendPrice",
  ] as const)("%s", async (kind) => {
    const bare = (side: Side): Partial<Trial> => ({ profile: withoutEquipment(side.profile) });
    const expected = { reason: "unsupported", retry: "never" };
    expect(await failure(DLMS, EACH[kind], bare(DLMS))).toEqual(expected);
    expect(await failure(C1222, EACH[kind], bare(C1222))).toEqual(expected);
  });
});
