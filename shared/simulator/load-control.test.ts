import { describe, expect, it } from "vitest";
import { c1222Driver } from "../c1222/driver.ts";
import { attributeOf } from "../dlms/objects/interface-class.ts";
import { SingleActionSchedule } from "../dlms/objects/single-action-schedule.ts";
import type { LoadControl } from "../metering/load-control.ts";
import { DeviceProfile } from "../metering/profile.ts";
import { PROFILES } from "../metering/profiles/catalogue.ts";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { seeded } from "../ports/random.ts";
import { C1222Meter } from "./c1222-meter.ts";
import type { FaultKind } from "./faults.ts";
import { household } from "./household.ts";
import { LoadCurve, lastStep } from "./load-model.ts";
import { dlmsSession, lab, meterSession, NOON, profileOf } from "./meter-lab-fixture.ts";
import { dialMeter } from "./meter-link.ts";
import type { MeterState } from "./meter-state.ts";

const HOUR_MS = 3_600_000;
const START = NOON - (NOON % 1000);
const KEYS = { unicast: "0f".repeat(16), llsSecret: "70617373776f7264" };

interface Side {
  readonly state: MeterState;
  readonly clock: { now(): number };
  pass(ms: number): Promise<void>;
  tell(control: LoadControl): Promise<unknown>;
}

function dlms(fault?: FaultKind): Side {
  const of = lab("generic-eu", { clockOffsetMs: 0, ...(fault && { fault }) });
  return {
    get state() {
      return of.meter.parts.state;
    },
    clock: of.clock,
    pass: async (ms) => of.clock.pass(ms),
    async tell(control) {
      const session = await meterSession(of);
      const { loadControl } = await session.perform({ kind: "controlLoad", control });
      await session.release();
      return loadControl;
    },
  };
}

let counter = 1;
function c1222(fault?: FaultKind): Side {
  const profile = PROFILES.get("generic-us");
  if (profile?.protocol !== "c1222") throw new Error("expected the profile");
  let now = NOON;
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
    },
  };
  const plan = {
    index: 4,
    meterId: "SIM-000005",
    serial: "HRS26000005",
    profile,
    apTitle: ".23.5",
    enrolled: KEYS,
    held: KEYS,
    clockOffsetMs: 0,
    fault,
  };
  const meter = new C1222Meter(plan, 5, { crypto: nodeCrypto, random: seeded("meter"), now: clock.now });
  return {
    get state() {
      return meter.parts.state;
    },
    clock,
    pass: (ms) => clock.sleep(ms),
    async tell(control) {
      const session = await c1222Driver.open({
        link: await dialMeter(meter, clock),
        clock,
        random: seeded("client"),
        crypto: nodeCrypto,
        profile,
        systemTitle: plan.apTitle,
        clientSystemTitle: "4844520000000001",
        keys: KEYS,
        counters: { next: () => counter++ },
        responseTimeoutMs: 5_000,
      });
      const { loadControl } = await session.perform({ kind: "controlLoad", control });
      await session.release();
      return loadControl;
    },
  };
}

/** Wh of import between two instants, as the register counts, and as it would have without any control. */
function imported(side: Side, from: number, to: number) {
  const free = new LoadCurve(household(5, 4));
  const between = ({ energyAt }: { energyAt(at: number): { importWh: number } }): number =>
    energyAt(to).importWh - energyAt(from).importWh;
  const of = (curve: LoadCurve) => between({ energyAt: (at) => curve.energyAt(at) });
  return { counted: of(side.state.load), free: of(free) };
}

const SIDES = [
  ["a DLMS meter", dlms, 900],
  ["a C12.22 meter", c1222, 1_800],
] as const;

describe.each(SIDES)("load control by %s", (_, side, periodSeconds) => {
  it("turns the load off, and the meter itself turns it on again when it is over", async () => {
    const one = side();
    const until = START + 2 * HOUR_MS;
    expect(await one.tell({ mode: "off", until })).toEqual({ shows: "off", until });
    expect(one.state.loadRelay?.closed).toBe(false);
    expect(one.state.relay.closed).toBe(true);
    await one.pass(3 * HOUR_MS);
    expect(one.state.loadRelay?.closed).toBe(true);
    const { counted, free } = imported(one, START, START + 2 * HOUR_MS);
    expect(counted).toBeLessThan(free * 0.85);
    expect(counted).toBeGreaterThan(free * 0.5);
    const after = imported(one, lastStep(START) + 2.5 * HOUR_MS, lastStep(START) + 3 * HOUR_MS);
    expect(after.counted).toBe(after.free);
  });

  it("releases it before its time", async () => {
    const one = side();
    await one.tell({ mode: "off", until: START + 4 * HOUR_MS });
    await one.pass(HOUR_MS);
    expect(await one.tell({ mode: "release" })).toEqual({ shows: "released" });
    await one.pass(HOUR_MS);
    expect(one.state.loadRelay?.closed).toBe(true);
  });

  it("told the same again changes nothing", async () => {
    const one = side();
    const order = { mode: "off", until: START + 2 * HOUR_MS } as const;
    await one.tell(order);
    const once = one.state.loadRelay?.spans;
    await one.pass(60_000);
    await one.tell(order);
    await one.pass(3 * HOUR_MS);
    const ends = one.state.loadRelay?.spans.at(-1)?.to ?? 0;
    expect(Math.abs(ends - order.until)).toBeLessThan(61_000);
    expect(once?.[0]?.from).toBe(one.state.loadRelay?.spans[0]?.from);
  });

  it("cycles: half the time off is half the load", async () => {
    const one = side();
    const until = START + 4 * HOUR_MS;
    const offSeconds = periodSeconds / 2;
    expect(await one.tell({ mode: "cycle", until, periodSeconds, offSeconds })).toEqual({ shows: "cycling", until });
    await one.pass(5 * HOUR_MS);
    const cycled = imported(one, START, until);
    const other = side();
    await other.tell({ mode: "off", until });
    await other.pass(5 * HOUR_MS);
    const off = imported(other, START, until);
    const share = (cycled.free - cycled.counted) / (off.free - off.counted);
    expect(share).toBeGreaterThan(0.4);
    expect(share).toBeLessThan(0.6);
  });

  it("is refused when it is over already, and nothing is sent to the load", async () => {
    const one = side();
    await expect(one.tell({ mode: "off", until: START - 1000 })).rejects.toMatchObject({ code: "load-control.over" });
    expect(one.state.loadRelay?.spans).toEqual([]);
  });

  it("is not believed when the meter acknowledges and does nothing", async () => {
    const one = side("hollow-switch");
    await expect(one.tell({ mode: "off", until: START + HOUR_MS })).rejects.toMatchObject({ reason: "refused" });
  });

  it("registers of the controlled load only rise, rates and total alike", async () => {
    const one = side();
    await one.tell({ mode: "off", until: START + 90 * 60_000 });
    await one.pass(30 * HOUR_MS);
    const { load } = one.state;
    for (let at = START - HOUR_MS; at < START + 24 * HOUR_MS; at += 900_000) {
      for (const rate of [1, 2] as const)
        expect(load.rateAt(rate, at + 900_000).importWh).toBeGreaterThanOrEqual(load.rateAt(rate, at).importWh);
      expect(load.rateAt(1, at).importWh + load.rateAt(2, at).importWh).toBe(load.energyAt(at).importWh);
    }
  });
});

describe("a limit on the controlled load", () => {
  it("keeps the import of a DLMS meter near its watts", async () => {
    const one = dlms();
    const until = START + 2 * HOUR_MS;
    const watts = 40;
    expect(await one.tell({ mode: "limit", until, watts })).toEqual({ shows: "limited", until });
    await one.pass(3 * HOUR_MS);
    const { counted, free } = imported(one, START, until);
    expect(counted).toBeLessThan(free);
    expect(one.state.relay.closed).toBe(true);
  });
  it("is unsupported by a model that sheds by level", async () => {
    await expect(c1222().tell({ mode: "limit", until: START + HOUR_MS, watts: 500 })).rejects.toMatchObject({
      reason: "unsupported",
    });
  });
  it("a cycle of more turns than a schedule holds is unsupported", async () => {
    const order = { mode: "cycle", until: START + 24 * HOUR_MS, periodSeconds: 600, offSeconds: 300 } as const;
    await expect(dlms().tell(order)).rejects.toMatchObject({ code: "dlms.load-turns" });
  });
});

describe("load control never cuts the house", () => {
  it("a profile whose load relay is the supply switch is refused", () => {
    const profile = profileOf("generic-eu");
    const { loadControl, switch: relay } = profile.dlms;
    if (loadControl === undefined || relay === undefined) throw new Error("expected both");
    const bad = { ...profile, dlms: { ...profile.dlms, loadControl: { ...loadControl, relay: relay.control } } };
    expect(DeviceProfile.safeParse(bad).success).toBe(false);
  });
  it("scripts that move another relay than the profile's are found before anything is written", async () => {
    const own = profileOf("generic-eu");
    const { loadControl } = own.dlms;
    if (loadControl === undefined) throw new Error("expected one");
    const other = { ...own, dlms: { ...own.dlms, loadControl: { ...loadControl, relay: "0.2.96.3.10.255" } } };
    const of = lab("generic-eu");
    const session = await meterSession(of, { profile: other });
    const control = { mode: "off", until: START + HOUR_MS } as const;
    await expect(session.perform({ kind: "controlLoad", control })).rejects.toMatchObject({ code: "dlms.load-script" });
    await session.release();
    expect(of.meter.parts.state.loadRelay?.spans).toEqual([]);
    const read = await dlmsSession(of);
    const { executionTime } = SingleActionSchedule.attributes;
    const [times] = await read.readAll([attributeOf(SingleActionSchedule, executionTime, loadControl.schedules.on)]);
    expect(times).toEqual({ kind: "value", value: [] });
  });
});
