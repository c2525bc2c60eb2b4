import { describe, expect, it } from "vitest";
import { dlmsDriver } from "../dlms/driver.ts";
import type { DlmsProfile } from "../metering/profile.ts";
import type { Clock } from "../ports/clock.ts";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { seeded } from "../ports/random.ts";
import { SimulatedMeter } from "./meter.ts";
import { dialMeter } from "./meter-link.ts";
import { dlmsPopulation } from "./population.ts";

const CLIENT = "4844520000000001";
const SEED = 5;
const NOW = Date.parse("2026-06-10T09:07:13Z");
const DAY_MS = 86_400_000;
const clock: Clock = { now: () => NOW, sleep: async () => undefined };

type Access = DlmsProfile["dlms"]["access"];
function byShortNames(name: string, more: Partial<Access> = {}): SimulatedMeter {
  const plan = dlmsPopulation(nodeCrypto, { meters: 10, seed: SEED, faults: {}, clientSystemTitle: CLIENT }).find(
    ({ profile }) => profile.name === name,
  );
  if (plan === undefined) throw new Error(`the mix has no ${name}`);
  const { dlms, ...profile } = plan.profile;
  const access: Access = { ...dlms.access, referencing: "short-name", ...more };
  const ports = { crypto: nodeCrypto, random: seeded("meter"), now: () => NOW };
  return new SimulatedMeter({ ...plan, profile: { ...profile, dlms: { ...dlms, access } } }, SEED, ports);
}

describe("a simulated meter by short names", () => {
  it.each<[string, Partial<Access>]>([
    ["generic-eu", {}],
    ["generic-eu", { framing: "hdlc" }],
    ["generic-eu-general", {}],
    ["generic-eu-lls", {}],
    ["generic-eu-public", { clientSap: 17 }],
  ])("serves the driver what its load model says: %s %j", async (name, more) => {
    const meter = byShortNames(name, more);
    let counter = 1;
    const session = await dlmsDriver.open({
      link: await dialMeter(meter, clock),
      clock,
      random: seeded("client"),
      crypto: nodeCrypto,
      profile: meter.plan.profile,
      systemTitle: meter.plan.systemTitle,
      clientSystemTitle: CLIENT,
      keys: meter.plan.enrolled,
      counters: { next: () => counter++ },
      responseTimeoutMs: 5_000,
    });
    const ping = await session.perform({ kind: "ping", depth: "meter" });
    expect(ping.evidence).toContain("meter-answer");
    const range = { from: NOW - (NOW % DAY_MS) - DAY_MS, to: NOW - (NOW % DAY_MS) };
    const { intervals, registers, refusals } = await session.perform({
      kind: "readIntervals",
      range,
      registers: "total",
    });
    await session.release();
    const truth = meter.truth(range.from, range.to);
    expect(refusals).toEqual([]);
    expect(intervals[0]?.entries).toHaveLength(96);
    expect(intervals[0]?.entries.map(({ end, values }) => [end, values[0], values[1]])).toEqual(
      truth.intervals.map(({ end, values }) => [end, ...values.slice(0, 2).map(BigInt)]),
    );
    expect(registers.map(({ measurement }) => measurement)).toEqual([
      "energy.active.import.total",
      "energy.active.export.total",
    ]);
    expect(meter.counters.state.repeated).toEqual([]);
  });
});
