import { describe, expect, it } from "vitest";
import { c1222Driver } from "../../shared/c1222/driver.ts";
import { pushContent, pushLists } from "../../shared/dlms/client/push-content.ts";
import { pushSource, receivePush } from "../../shared/dlms/client/push-receiver.ts";
import { dlmsDriver } from "../../shared/dlms/driver.ts";
import { WrapperSplitter } from "../../shared/dlms/wrapper.ts";
import type { MeterSession } from "../../shared/metering/driver.ts";
import type { Operation } from "../../shared/metering/operation.ts";
import { PROFILES } from "../../shared/metering/profiles/catalogue.ts";
import type { PushState } from "../../shared/metering/push-setting.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { seeded } from "../../shared/ports/random.ts";
import { C1222Meter } from "../../shared/simulator/c1222-meter.ts";
import { SimulatedMeter } from "../../shared/simulator/meter.ts";
import { dialMeter } from "../../shared/simulator/meter-link.ts";
import { dlmsPopulation } from "../../shared/simulator/population.ts";

const CLIENT = "4844520000000001";
const QUARTER_MS = 900_000;
const NOON = Date.UTC(2026, 10, 2, 12);
const GATE = { host: "gate.example", port: 4059 };

type ConfigurePush = Extract<Operation, { readonly kind: "configurePush" }>;
const asked = (part: Omit<ConfigurePush, "kind">): ConfigurePush => ({ kind: "configurePush", ...part });

/** One meter of a model that lives on, sessions with it, and what it sends by itself. */
function world(name: string) {
  const profile = PROFILES.get(name);
  const [plan] = dlmsPopulation(nodeCrypto, { meters: 1, seed: 3, faults: {}, clientSystemTitle: CLIENT });
  if (profile === undefined || plan === undefined) throw new Error(`the catalogue has ${name}`);
  let at = NOON;
  const clock = {
    now: () => at,
    sleep: async (ms: number) => {
      at += ms;
    },
  };
  const ports = { crypto: nodeCrypto, random: seeded("meter"), now: () => at };
  const made = (kept?: ReturnType<() => SimulatedMeter["kept"]>) =>
    profile.protocol === "dlms"
      ? new SimulatedMeter({ ...plan, profile, clockOffsetMs: 0 }, 3, ports, undefined, undefined, undefined, kept)
      : new C1222Meter(
          { ...plan, fault: undefined, profile, apTitle: ".23.1", clockOffsetMs: 0 },
          3,
          ports,
          undefined,
          undefined,
          undefined,
          kept,
        );
  let meter = made();
  let counter = 1;
  meter.duePushes();
  const session = async (): Promise<MeterSession> => {
    const context = {
      link: await dialMeter(meter, clock),
      clock,
      random: seeded(`client-${counter}`),
      crypto: nodeCrypto,
      profile,
      systemTitle: profile.protocol === "dlms" ? plan.systemTitle : ".23.1",
      clientSystemTitle: CLIENT,
      keys: plan.enrolled,
      counters: { next: () => ++counter },
      responseTimeoutMs: 5_000,
      pushesTo: GATE,
    };
    return (profile.protocol === "dlms" ? dlmsDriver : c1222Driver).open(context);
  };
  return {
    async set(part: Omit<ConfigurePush, "kind">): Promise<{ readonly before: PushState; readonly after: PushState }> {
      const { pushSet } = await (await session()).perform(asked(part));
      if (pushSet === undefined) throw new Error("it answers how the push stands");
      return pushSet;
    },
    /** At which minutes of the next hours it sent something. */
    minutes(hours: number): number[] {
      const began = at;
      const sent: number[] = [];
      for (let minute = 1; minute <= hours * 60; minute++) {
        at = began + minute * 60_000;
        if (meter.duePushes().length > 0) sent.push(minute);
      }
      return sent;
    },
    powerCut() {
      meter = made(JSON.parse(JSON.stringify(meter.kept)));
      meter.duePushes();
    },
    meter: () => meter,
    at(instant: number) {
      at = instant;
    },
  };
}

/** What the model sends otherwise (other pushes, alarms by chance) is switched off first. */
async function quiet(name: string) {
  const one = world(name);
  for (const content of name === "generic-us" ? (["alarms"] as const) : (["intervals", "alarms"] as const))
    await one.set({ content, enabled: false });
  return one;
}

describe.each([
  { name: "generic-eu", content: "intervals", protocol: "DLMS" },
  { name: "generic-us", content: "registers", protocol: "C12.22" },
] as const)("configuring what a meter pushes over $protocol", ({ name, content }) => {
  it("sets how often, and the meter obeys; asking for the same again writes nothing", async () => {
    const { set, minutes } = await quiet(name);
    expect(minutes(2)).toEqual([]);
    const { before, after } = await set({ content, enabled: true, every: 3600 });
    expect(before.enabled).toBe(false);
    expect(after).toMatchObject({ enabled: true, every: 3600 });
    expect(minutes(3)).toEqual([60, 120, 180]);
    await set({ content, enabled: true, every: 900 });
    expect(minutes(1)).toEqual([15, 30, 45, 60]);
    const again = await set({ content, enabled: true, every: 900 });
    expect(again.after).toEqual(again.before);
    await set({ content, enabled: true, every: 21_600 });
    expect(minutes(24)).toHaveLength(4);
  });

  it("switches it off and on again without forgetting how often, over a power cut too", async () => {
    const { set, minutes, powerCut } = await quiet(name);
    await set({ content, enabled: true, every: 1800 });
    await set({ content, enabled: false });
    expect(minutes(2)).toEqual([]);
    powerCut();
    expect(minutes(2)).toEqual([]);
    expect((await set({ content, enabled: true })).after).toMatchObject({ enabled: true, every: 1800 });
    powerCut();
    expect(minutes(1)).toEqual([30, 60]);
  });

  it("is refused with its reason where the model cannot", async () => {
    const { set } = world(name);
    const missing = name === "generic-us" ? "intervals" : "registers";
    await expect(set({ content: missing, enabled: true })).rejects.toMatchObject({
      reason: "unsupported",
      code: "profile.no-push-setting",
    });
    await expect(set({ content: "alarms", enabled: true, every: 900 })).rejects.toMatchObject({
      reason: "unsupported",
      code: "profile.push-period",
    });
  });
});

describe("where a meter pushes to", () => {
  it("is the deployment's own address unless another one is named; it is read back from the meter", async () => {
    const { set } = world("generic-eu");
    expect((await set({ content: "intervals", enabled: true })).after.destination).toBe("tcp gate.example:4059");
    const destination = { host: "192.0.2.7", port: 4060, transport: "udp" } as const;
    expect((await set({ content: "intervals", enabled: true, destination })).after.destination).toBe(
      "udp 192.0.2.7:4060",
    );
  });

  it("is not the headend's to say for a C12.22 node", async () => {
    const destination = { host: "192.0.2.7", port: 1153 };
    await expect(
      world("generic-us").set({ content: "registers", enabled: true, every: 900, destination }),
    ).rejects.toMatchObject({ reason: "unsupported", code: "c1222.push-destination" });
  });

  it("no setting is changed by a session that proves no keys", async () => {
    const clear = world("generic-us-clear").set({ content: "registers", enabled: true });
    await expect(clear).rejects.toMatchObject({ reason: "unsupported" });
  });
});

it("what a DLMS meter pushes each few hours holds every interval since the last push", async () => {
  const { set, at, meter } = await quiet("generic-eu");
  await set({ content: "intervals", enabled: true, every: 14_400 });
  const simulated = meter();
  if (!(simulated instanceof SimulatedMeter)) throw new Error("expected a DLMS meter");
  const { plan } = simulated;
  const source = pushSource(nodeCrypto, plan.profile, plan.enrolled, plan);
  const ends = [1, 2, 3, 4, 5, 6].flatMap((time) => {
    at(NOON + time * 14_400_000 + 1_000);
    return simulated
      .duePushes()
      .flatMap((frame) => new WrapperSplitter().push(frame))
      .flatMap(({ apdu }) => {
        const pushed = receivePush(source, () => undefined, apdu, {
          lists: pushLists(plan.profile),
          profile: plan.profile,
        });
        return pushContent(pushed, plan.profile, 0).intervals.flatMap(({ entries }) => entries.map(({ end }) => end));
      });
  });
  const day = Array.from({ length: 96 }, (_, number) => NOON + (number + 1) * QUARTER_MS);
  // By local time: the last push of the day comes within four hours of its end.
  expect(new Set(ends)).toEqual(new Set([...day.filter((end) => end <= Math.max(...ends)), ...ends]));
  expect(Math.max(...ends)).toBeGreaterThan(NOON + 20 * 3_600_000);
});
