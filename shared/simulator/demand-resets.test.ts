import { describe, expect, it } from "vitest";
import { compared } from "../dlms/client/reset-demand.ts";
import { dlmsDriver } from "../dlms/driver.ts";
import type { EffectSession } from "../metering/effect.ts";
import type { Clock } from "../ports/clock.ts";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { seeded } from "../ports/random.ts";
import type { FaultKind } from "./faults.ts";
import { DEAD_MS, SimulatedMeter } from "./meter.ts";
import { dialMeter } from "./meter-link.ts";
import { dlmsPopulation } from "./population.ts";

const CLIENT = "4844520000000001";
const SEED = 3;
const RESET = { kind: "resetDemand" } as const;

function clockAt(at: number): Clock & { pass(ms: number): void } {
  let now = at;
  const pass = (ms: number) => {
    now += ms;
  };
  return { now: () => now, sleep: async (ms) => pass(ms), pass };
}

/** A meter of a profile (or with a fault) and sessions with it, each with counters above the last one's. */
function town(profile: string, fault?: FaultKind) {
  const clock = clockAt(Date.parse("2026-11-10T09:07:13Z"));
  const faults = fault === undefined ? {} : { [fault]: 0.1 };
  const plans = dlmsPopulation(nodeCrypto, { meters: 10, seed: SEED, faults, clientSystemTitle: CLIENT });
  const plan = plans.find((each) => (fault === undefined ? each.profile.name === profile : each.fault === fault));
  if (plan === undefined) throw new Error("the town has no such meter");
  const meter = new SimulatedMeter(plan, SEED, { crypto: nodeCrypto, random: seeded("m"), now: () => clock.now() });
  let counter = 1;
  const effects = async (): Promise<EffectSession> => {
    const session = await dlmsDriver.open({
      link: await dialMeter(meter, clock),
      clock,
      random: seeded(`client ${counter}`),
      crypto: nodeCrypto,
      profile: plan.profile,
      systemTitle: plan.systemTitle,
      clientSystemTitle: CLIENT,
      keys: plan.enrolled,
      counters: { next: () => counter++ },
      responseTimeoutMs: 5_000,
    });
    if (session.effects === undefined) throw new Error("expected a driver with effects");
    return session.effects;
  };
  return { clock, meter, effects };
}

describe.each(["generic-eu", "generic-eu-general"])("a demand reset of a %s meter", (profile) => {
  it("reads the maximum and its time first, sets it back, and is proved by the meter's own count", async () => {
    const { meter, effects, clock } = town(profile);
    const session = await effects();
    const { before, baseline } = await session.baseline(RESET);
    expect(before.registers).toMatchObject([{ measurement: "demand.active.import.max" }]);
    expect(before.registers[0]?.value).toBeGreaterThan(0n);
    expect(before.registers[0]?.at).toBeLessThan(clock.now());
    expect(Object.keys(baseline).sort()).toEqual(["lastReset", "resets"]);
    expect(await session.prove(RESET, baseline)).toEqual({ kind: "did-not-happen" });
    clock.pass(1_000);
    expect(await session.operate(RESET)).toEqual({ kind: "accepted" });
    expect(await session.prove(RESET, baseline)).toEqual({ kind: "happened" });
    expect(meter.resets.state.count).toBe(1);
    const after = await (await effects()).baseline(RESET);
    expect(after.before.registers[0]?.value).toBe(0n);
  });
});

describe("a demand reset", () => {
  it.each([
    ["generic-eu-lls", "unsupported"],
    ["generic-eu-public", "unsupported"],
  ])("is not offered by %s, whose sessions prove no keys", async (profile, reason) => {
    const { meter, effects } = town(profile);
    const session = await effects();
    await expect(session.baseline(RESET)).rejects.toMatchObject({ reason });
    await expect(session.operate(RESET)).rejects.toMatchObject({ reason });
    expect(meter.resets.state.count).toBe(0);
  });

  it("that is answered late, or not at all, is found to have happened in another session", async () => {
    for (const fault of ["late-reset", "dies-resetting"] as const) {
      const { meter, effects, clock } = town("generic-eu", fault);
      const session = await effects();
      const { baseline } = await session.baseline(RESET);
      await expect(session.operate(RESET)).rejects.toMatchObject({ retry: "later" });
      clock.pass(DEAD_MS);
      expect(await (await effects()).prove(RESET, baseline)).toEqual({ kind: "happened" });
      expect(meter.resets.state.count).toBe(1);
    }
  });

  it("that the meter only pretends is found not to have happened", async () => {
    const { meter, effects } = town("generic-eu", "hollow-reset");
    const session = await effects();
    const { baseline } = await session.baseline(RESET);
    expect(await session.operate(RESET)).toEqual({ kind: "accepted" });
    expect(await session.prove(RESET, baseline)).toEqual({ kind: "did-not-happen" });
    expect(meter.resets.state.count).toBe(0);
  });
});

describe("the proof of a demand reset", () => {
  it.each([
    ["the count is one higher", { resets: "7", lastReset: "5" }, { resets: 8n, lastReset: 9 }, "happened"],
    ["nothing moved", { resets: "7", lastReset: "5" }, { resets: 7n, lastReset: 5 }, "did-not-happen"],
    ["the count stands, the time moved", { resets: "7", lastReset: "5" }, { resets: 7n, lastReset: 9 }, "cannot-tell"],
    ["two resets more", { resets: "7" }, { resets: 9n }, "cannot-tell"],
    ["fewer resets: another meter", { resets: "7" }, { resets: 3n }, "cannot-tell"],
    ["the count is not told any more", { resets: "7", lastReset: "5" }, { lastReset: 9 }, "cannot-tell"],
    ["a time alone, moved", { lastReset: "5" }, { lastReset: 9 }, "happened"],
    ["a time alone, as it was", { lastReset: "5" }, { lastReset: 5 }, "did-not-happen"],
  ] as const)("%s", (_name, baseline, now, kind) => expect(compared(baseline, now)).toMatchObject({ kind }));
});
