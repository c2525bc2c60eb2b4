import { describe, expect, it } from "vitest";
import { c1222Driver } from "../c1222/driver.ts";
import type { OperationResult } from "../metering/result.ts";
import type { Clock } from "../ports/clock.ts";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { seeded } from "../ports/random.ts";
import { C1222Meter } from "./c1222-meter.ts";
import { dialMeter } from "./meter-link.ts";
import { type C1222MeterPlan, isDlms, population } from "./population.ts";

const SEED = 8;
const NOW = Date.parse("2026-11-10T09:07:13Z");
const DAY_MS = 86_400_000;
const clock: Clock = { now: () => NOW, sleep: async () => undefined };
const plans = population(nodeCrypto, {
  meters: 10,
  seed: SEED,
  faults: {},
  protocols: { dlms: 0, c1222: 1 },
  clientSystemTitle: "4844520000000001",
}).filter((plan): plan is C1222MeterPlan => !isDlms(plan));

const meterOf = (profile: string): C1222Meter => {
  const plan = plans.find((one) => one.profile.name === profile);
  if (plan === undefined) throw new Error(`no meter of ${profile}`);
  return new C1222Meter(plan, SEED, { crypto: nodeCrypto, random: seeded("meter"), now: clock.now });
};

/** Reads the last day; `next` draws invocation ids. */
async function readDay(meter: C1222Meter, next: () => number): Promise<OperationResult> {
  const { profile, apTitle, enrolled } = meter.plan;
  const link = await dialMeter(meter, clock);
  const common = { link, clock, random: seeded("client"), crypto: nodeCrypto, responseTimeoutMs: 5_000 };
  const session = await c1222Driver.open({
    ...common,
    profile,
    systemTitle: apTitle,
    clientSystemTitle: "4844520000000001",
    keys: enrolled,
    counters: { next },
  });
  const to = NOW - 433_000;
  return session.perform({ kind: "readIntervals", range: { from: to - DAY_MS, to }, registers: "total" });
}

describe("a simulated C12.22 meter", () => {
  it.each([...new Set(plans.map(({ profile }) => profile.name))])(
    "holds what its load model says, %s",
    async (name) => {
      const meter = meterOf(name);
      let id = 0;
      const { intervals, registers } = await readDay(meter, () => id++);
      const truth = meter.truth(NOW - 433_000 - DAY_MS, NOW - 433_000);
      expect(intervals[0]?.entries).toEqual(truth.intervals);
      expect(truth.intervals).toHaveLength(96);
      expect(registers.map(({ value }) => value)).toEqual(truth.registers.map(({ value }) => value));
    },
  );

  it("sees every invocation id of a secured meter once, and a meter without keys is asked under none", async () => {
    const meter = meterOf("generic-us");
    let id = 0;
    await readDay(meter, () => id++); // the first lease of all begins with 0, which is no invocation id
    expect(meter.counters.state).toMatchObject({ repeated: [], lower: [], runs: [[1, id - 1]] });
    await expect(readDay(meter, () => 3)).rejects.toMatchObject({ reason: "timeout" });
    expect(meter.counters.state.repeated).toEqual([3]);
    const never = (): number => {
      throw new Error("a counter was drawn");
    };
    expect((await readDay(meterOf("generic-us-clear"), never)).intervals).toHaveLength(1);
  });
});
