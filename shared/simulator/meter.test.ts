import { describe, expect, it } from "vitest";
import { dlmsDriver } from "../dlms/driver.ts";
import type { SessionContext } from "../metering/driver.ts";
import type { Operation } from "../metering/operation.ts";
import type { DlmsProfile } from "../metering/profile.ts";
import { PROFILES } from "../metering/profiles/catalogue.ts";
import type { OperationResult } from "../metering/result.ts";
import type { Clock } from "../ports/clock.ts";
import { HeadraceError } from "../ports/errors.ts";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { seeded } from "../ports/random.ts";
import type { FaultKind } from "./faults.ts";
import { HIGH_COUNTER, SimulatedMeter, SLOW_MS } from "./meter.ts";
import { dialMeter } from "./meter-link.ts";
import { type DlmsMeterPlan, dlmsPopulation } from "./population.ts";

const CLIENT = "4844520000000001";
const SEED = 3;
const DAY_MS = 86_400_000;
const AUTUMN = Date.parse("2026-11-10T09:07:13Z");

/** A clock that stands still but for those who sleep on it. */
function virtualClock(at: number): Clock & { set(now: number): void } {
  let now = at;
  return {
    now: () => now,
    sleep: async (ms) => {
      now += ms;
    },
    set: (to) => {
      now = to;
    },
  };
}

function plans(faults: Partial<Record<FaultKind, number>> = {}, meters = 10): readonly DlmsMeterPlan[] {
  return dlmsPopulation(nodeCrypto, { meters, seed: SEED, faults, clientSystemTitle: CLIENT });
}
function planOf(profile: string): DlmsMeterPlan {
  const plan = plans().find((each) => each.profile.name === profile);
  if (plan === undefined) throw new Error(`the mix has no ${profile}`);
  return plan;
}
function faulty(fault: FaultKind): DlmsMeterPlan {
  const plan = plans({ [fault]: 0.1 }).find((each) => each.fault === fault);
  if (plan === undefined) throw new Error(`nobody is ${fault}`);
  return plan;
}
const simulated = (plan: DlmsMeterPlan, clock: Clock): SimulatedMeter =>
  new SimulatedMeter(plan, SEED, { crypto: nodeCrypto, random: seeded("meter"), now: () => clock.now() });

interface Reading {
  readonly clock: Clock;
  readonly from?: number;
  readonly profile?: DlmsProfile;
  readonly onFrame?: SessionContext["onFrame"];
  readonly responseTimeoutMs?: number;
}

async function perform(meter: SimulatedMeter, operation: Operation, options: Reading): Promise<OperationResult> {
  let counter = options.from ?? 1;
  const link = await dialMeter(meter, options.clock);
  const session = await dlmsDriver.open({
    link,
    clock: options.clock,
    random: seeded(`client ${counter}`),
    crypto: nodeCrypto,
    profile: options.profile ?? meter.plan.profile,
    systemTitle: meter.plan.systemTitle,
    clientSystemTitle: CLIENT,
    keys: meter.plan.enrolled,
    counters: { next: () => counter++ },
    responseTimeoutMs: options.responseTimeoutMs ?? 5_000,
    ...(options.onFrame && { onFrame: options.onFrame }),
  });
  const result = await session.perform(operation);
  await session.release();
  return result;
}

const lastDay = (now: number): Extract<Operation, { kind: "readIntervals" }> => {
  const to = Math.floor(now / 900_000) * 900_000;
  return { kind: "readIntervals", range: { from: to - DAY_MS, to }, registers: "total" };
};

describe("a simulated meter, read by the driver", () => {
  const dlms = [...new Set(plans().map(({ profile }) => profile.name))];
  it.each(dlms)("holds what its load model says, %s", async (name) => {
    const clock = virtualClock(AUTUMN);
    const meter = simulated(planOf(name), clock);
    const operation = lastDay(AUTUMN);
    let received = 0;
    const onFrame = (direction: "sent" | "received") => {
      if (direction === "received") received += 1;
    };
    const { intervals, registers, refusals, clockOffsetMs } = await perform(meter, operation, { clock, onFrame });
    const truth = meter.truth(operation.range.from, operation.range.to);
    expect(refusals).toEqual([]);
    expect(intervals[0]?.entries).toEqual(truth.intervals);
    expect(truth.intervals).toHaveLength(96);
    expect(registers.map(({ measurement, value, scaler }) => ({ measurement, value, scaler }))).toEqual(
      truth.registers.map(({ measurement, value, scaler }) => ({ measurement, value, scaler })),
    );
    const last = truth.intervals.at(-1);
    expect(registers.map(({ value }) => value)).toEqual(last?.values);
    expect(truth.registers[0]?.capturedAt).toBe(last?.end);
    expect(clockOffsetMs).toBeDefined();
    expect(Math.abs((clockOffsetMs ?? 0) - meter.plan.clockOffsetMs)).toBeLessThan(1_000);
    expect(received).toBeGreaterThan(6); // the day comes in several blocks
  });

  it("keeps its days right over the change to standard time", async () => {
    const clock = virtualClock(Date.parse("2026-10-25T09:00:30Z"));
    const meter = simulated(planOf("generic-eu"), clock);
    const operation = lastDay(clock.now());
    const { intervals } = await perform(meter, operation, { clock });
    const truth = meter.truth(operation.range.from, operation.range.to).intervals;
    expect(intervals[0]?.entries).toEqual(truth);
    expect(new Set(truth.map(({ status }) => status & 0x10)).size).toBe(2);
  });

  it("answers every register of its profile, with its unit's scaler", async () => {
    const clock = virtualClock(AUTUMN);
    const meter = simulated(planOf("generic-eu"), clock);
    const { registers, refusals } = await perform(meter, { kind: "readRegisters" }, { clock });
    expect(refusals).toEqual([]);
    expect(registers.map(({ measurement }) => measurement)).toEqual(
      meter.plan.profile.dlms.registers.map(({ measurement }) => measurement),
    );
    const truth = meter.truth(0, 1).registers;
    for (const { measurement, value, scaler, at } of registers) {
      const held = truth.find((each) => each.measurement === measurement);
      expect({ value, scaler }).toEqual({ value: held?.value, scaler: held?.scaler });
      if (at !== undefined) expect(at).toBe(held?.capturedAt);
    }
    expect(registers.find(({ measurement }) => measurement === "voltage.l1.line")?.scaler).toBe(-1);
  });

  it("answers a ping and what its profile keeps, no more", async () => {
    const clock = virtualClock(AUTUMN);
    const meter = simulated(planOf("generic-eu"), clock);
    const ping = await perform(meter, { kind: "ping", depth: "meter" }, { clock });
    expect(ping.evidence).toEqual(["tcp-accept", "module-answer", "meter-answer"]);
    expect(ping.registers.map(({ measurement }) => measurement)).toEqual(["voltage.l1.line", "voltage.l1.load"]);
    const range = { from: AUTUMN - 40 * DAY_MS, to: AUTUMN + DAY_MS };
    const whole = await perform(meter, { kind: "readIntervals", range }, { clock, from: 1_000 });
    const entries = whole.intervals[0]?.entries ?? [];
    expect(entries).toHaveLength(2880);
    expect(entries).toEqual(meter.truth(range.from, range.to).intervals);
    const later = { from: AUTUMN + DAY_MS, to: AUTUMN + 2 * DAY_MS };
    const none = await perform(meter, { kind: "readIntervals", range: later }, { clock, from: 2_000 });
    expect(none.intervals[0]?.entries).toEqual([]);
  });

  it("has an interval when its own clock says so", async () => {
    const plan = plans().find((each) => each.clockOffsetMs < -1_000);
    if (plan === undefined) throw new Error("no meter is slow");
    const quarter = Date.parse("2026-11-10T09:15:00Z");
    const clock = virtualClock(quarter + 500);
    const meter = simulated(plan, clock);
    const before = await perform(meter, lastDay(quarter), { clock });
    expect(before.intervals[0]?.entries).toHaveLength(95);
    expect(meter.truth(quarter - DAY_MS, quarter).intervals).toHaveLength(95);
    clock.set(quarter + 5_000);
    const after = await perform(meter, lastDay(quarter), { clock, from: 1_000 });
    expect(after.intervals[0]?.entries).toHaveLength(96);
  });

  it("shows the public client who it is and its counter, and no data", async () => {
    const clock = virtualClock(AUTUMN);
    const meter = simulated(planOf("generic-eu"), clock);
    await perform(meter, { kind: "ping", depth: "network" }, { clock, from: 700 });
    const open = PROFILES.get("generic-eu-public");
    if (open?.protocol !== "dlms") throw new Error("no public profile");
    const registers = [
      { measurement: "volume.gas", classId: 1, obis: "0.0.43.1.0.255", scaler: 0, total: false },
      { measurement: "energy.active.import.total", classId: 3, obis: "1.0.1.8.0.255", scaler: 0, total: false },
    ] as const;
    const profile: DlmsProfile = { ...open, dlms: { ...open.dlms, registers: [...registers] } };
    const seen = await perform(meter, { kind: "readRegisters" }, { clock, profile });
    expect(seen.registers.map(({ value }) => value)).toEqual([BigInt(meter.counters.lastAccepted() ?? 0)]);
    expect(seen.refusals).toHaveLength(1);
  });

  it("serves several connections at once and witnesses every counter of them", async () => {
    const clock = virtualClock(AUTUMN);
    const meter = simulated(planOf("generic-eu"), clock);
    for (const from of [1, 100, 200]) await perform(meter, lastDay(AUTUMN), { clock, from });
    expect(meter.sessions).toBe(3);
    const { accepted, repeated, lower, runs } = meter.counters.state;
    expect({ repeated, lower }).toEqual({ repeated: [], lower: [] });
    expect(runs.map(([first, last]) => last - first + 1).reduce((sum, count) => sum + count, 0)).toBe(accepted);
    expect(runs.map(([first]) => first)).toEqual([1, 100, 200]);
    await expect(perform(meter, lastDay(AUTUMN), { clock, from: 150 })).rejects.toMatchObject({ reason: "auth" });
    expect(meter.counters.state.lower).toEqual([150]);
    await expect(perform(meter, lastDay(AUTUMN), { clock, from: 200 })).rejects.toMatchObject({ reason: "auth" });
    expect(meter.counters.state.repeated).toEqual([200]);
  });

  it("forgets no counter when it is started again from what it kept", async () => {
    const clock = virtualClock(AUTUMN);
    const plan = planOf("generic-eu");
    const first = simulated(plan, clock);
    await perform(first, lastDay(AUTUMN), { clock, from: 50 });
    const ports = { crypto: nodeCrypto, random: seeded("meter again"), now: () => clock.now() };
    const second = new SimulatedMeter(plan, SEED, ports, first.counters.state);
    await expect(perform(second, lastDay(AUTUMN), { clock, from: 50 })).rejects.toMatchObject({ reason: "auth" });
    expect(second.counters.state.repeated).toEqual([50]);
  });
});

describe("a meter with a fault", () => {
  const outcome = async (fault: FaultKind, from = 1): Promise<unknown> => {
    const clock = virtualClock(AUTUMN);
    try {
      return await perform(simulated(faulty(fault), clock), lastDay(AUTUMN), { clock, from });
    } catch (error) {
      return error instanceof HeadraceError ? error : Promise.reject(error);
    }
  };

  it.each([
    ["silent", { reason: "timeout", retry: "later" }],
    ["wrong-key", { reason: "auth", retry: "never" }],
    ["drops", { reason: "interrupted", retry: "later" }],
    ["closed", { code: "link.unreachable", retry: "later" }],
    ["wrong-proof", { reason: "auth", code: "dlms.bad-proof" }],
    ["echo", { reason: "auth", code: "dlms.echoed-challenge" }],
    ["replay", { reason: "auth", code: "dlms.bad-proof" }],
    ["high-counter", { reason: "auth" }],
  ] as const)("%s", async (fault, expected) => {
    expect(await outcome(fault)).toMatchObject(expected);
  });

  it("drops each time, at the second block, and not in a read that needs no blocks", async () => {
    const clock = virtualClock(AUTUMN);
    const meter = simulated(faulty("drops"), clock);
    for (const from of [1, 100]) {
      let blocks = 0;
      const onFrame = () => {
        blocks += 1;
      };
      const reading = perform(meter, lastDay(AUTUMN), { clock, from, onFrame });
      await expect(reading).rejects.toMatchObject({ reason: "interrupted" });
      expect(blocks).toBeGreaterThan(4);
    }
    const registers = await perform(meter, { kind: "readRegisters" }, { clock, from: 200 });
    expect(registers.registers).toHaveLength(5);
  });

  it("slow takes two seconds an answer and is still read", async () => {
    const clock = virtualClock(AUTUMN);
    const meter = simulated(faulty("slow"), clock);
    const { intervals } = await perform(meter, lastDay(AUTUMN), { clock });
    expect(intervals[0]?.entries).toHaveLength(96);
    expect(clock.now() - AUTUMN).toBeGreaterThanOrEqual(6 * SLOW_MS);
    await expect(perform(meter, lastDay(AUTUMN), { clock, from: 100, responseTimeoutMs: 1_000 })).rejects.toMatchObject(
      { reason: "timeout" },
    );
  });

  it("high-counter says which counter it takes, and takes it", async () => {
    const clock = virtualClock(AUTUMN);
    const meter = simulated(faulty("high-counter"), clock);
    await expect(perform(meter, lastDay(AUTUMN), { clock })).rejects.toMatchObject({ reason: "auth" });
    expect(meter.counters.state.lower).toEqual([1]);
    const { intervals } = await perform(meter, lastDay(AUTUMN), { clock, from: HIGH_COUNTER + 1 });
    expect(intervals).toHaveLength(1);
  });

  it("wrong-key has accepted nothing", async () => {
    const clock = virtualClock(AUTUMN);
    const meter = simulated(faulty("wrong-key"), clock);
    await expect(perform(meter, lastDay(AUTUMN), { clock })).rejects.toMatchObject({ reason: "auth" });
    expect(meter.counters.state.accepted).toBe(0);
  });
});
