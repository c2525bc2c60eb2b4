import { describe, expect, it } from "vitest";
import { AContext, AE_QUALIFIER, unsignedOf } from "../c1222/a-context.ts";
import { comparedResets } from "../c1222/client/effects.ts";
import { c1222Driver } from "../c1222/driver.ts";
import { readPayload } from "../c1222/epsem.ts";
import { eaxPrimeKey } from "../c1222/security/eax-prime.ts";
import { openApdu } from "../c1222/security/secured-apdu.ts";
import { decodeRequest } from "../c1222/services/request.ts";
import type { MeterSession } from "../metering/driver.ts";
import type { OnceOperation } from "../metering/operation.ts";
import type { DeviceProfile } from "../metering/profile.ts";
import { PROFILES } from "../metering/profiles/catalogue.ts";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { fromHex } from "../ports/octets.ts";
import { seeded } from "../ports/random.ts";
import { decode } from "../wire/codec.ts";
import type { C1222FormOptions } from "./c1222-form.ts";
import { C1222Meter } from "./c1222-meter.ts";
import type { FaultKind } from "./faults.ts";
import { dialMeter } from "./meter-link.ts";

const NOW = Date.parse("2026-11-10T09:07:13Z");
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const KEYS = { unicast: "0f".repeat(16), llsSecret: "70617373776f7264" };

function town(
  name: string,
  change: { fault?: FaultKind; form?: C1222FormOptions; at?: number; offsetMs?: number; profile?: DeviceProfile } = {},
) {
  const profile = change.profile ?? PROFILES.get(name);
  if (profile?.protocol !== "c1222") throw new Error(`no C12.22 profile ${name}`);
  let now = change.at ?? NOW;
  const clock = {
    now: () => now,
    sleep: async (ms: number) => {
      now += ms;
    },
  };
  const plan = {
    index: 3,
    meterId: "SIM-000004",
    serial: "HRS26000004",
    profile,
    apTitle: ".23.4",
    enrolled: KEYS,
    held: KEYS,
    clockOffsetMs: change.offsetMs ?? 0,
    fault: change.fault,
    ...(change.form && { form: change.form }),
  };
  const meter = new C1222Meter(plan, 5, { crypto: nodeCrypto, random: seeded("meter"), now: clock.now });
  let counter = 1;
  const open = async (keys = KEYS): Promise<MeterSession> =>
    c1222Driver.open({
      link: await dialMeter(meter, clock),
      clock,
      random: seeded("client"),
      crypto: nodeCrypto,
      profile,
      systemTitle: plan.apTitle,
      clientSystemTitle: "4844520000000001",
      keys,
      counters: { next: () => counter++ },
      responseTimeoutMs: 5_000,
    });
  return { meter, clock, open, pass: (ms: number) => clock.sleep(ms) };
}

/** An effect as the engine has it: what was before, the order, and the proof after a moment. */
async function effect(of: ReturnType<typeof town>, operation: OnceOperation) {
  const session = await of.open();
  const { effects } = session;
  if (effects === undefined) throw new Error("the driver has effects");
  const { before, baseline } = await effects.baseline(operation);
  const answer = await effects.operate(operation);
  await of.pass(2_000);
  const verdict = await effects.prove(operation, baseline);
  await session.release();
  return { before, answer, verdict };
}

describe("the logs of a simulated C12.22 meter", () => {
  it.each(["generic-us", "commercial-us"])("are read as they are, %s", async (name) => {
    const one = town(name);
    const range = { from: NOW - 80 * DAY_MS, to: NOW };
    const { events = [] } = await (await one.open()).perform({ kind: "readEvents", range });
    const truth = one.meter.truth(range.from, range.to).events ?? [];
    expect(events.filter(({ log }) => log === "events")).toEqual(truth);
    expect(truth.length).toBeGreaterThan(3);
    expect(new Set(truth.map(({ event }) => event)).size).toBeGreaterThan(2);
  });

  it("the history tells of procedures", async () => {
    const one = town("commercial-us");
    await effect(one, { kind: "resetDemand" });
    const { events = [] } = await (await one.open()).perform({
      kind: "readEvents",
      range: { from: NOW - HOUR_MS, to: NOW + HOUR_MS },
    });
    expect(events.map(({ log, event, code }) => [log, event, code])).toEqual(
      expect.arrayContaining([
        ["events", "demand.reset", "20"],
        ["history", "unknown", "9"],
      ]),
    );
  });
});

describe("its switch", () => {
  it("is opened and closed, and shows it by position, contact and voltage", async () => {
    const one = town("generic-us");
    const opened = await effect(one, { kind: "operateSwitch", to: "open" });
    expect(opened.before.switch).toEqual({ position: "closed", contactClosed: true });
    expect(opened.answer).toEqual({ kind: "accepted" });
    expect(opened.verdict).toMatchObject({
      kind: "happened",
      shown: { switch: { position: "open", contactClosed: false } },
    });
    const shown = await (await one.open()).perform({ kind: "readSwitch" });
    expect(shown.registers.find(({ measurement }) => measurement === "voltage.l1.load")?.value).toBe(0n);
    expect((await effect(one, { kind: "operateSwitch", to: "closed" })).verdict.kind).toBe("happened");
  });

  it.each([
    ["hollow-switch", "did-not-happen"],
    ["welded", "switch.contact-differs"],
    ["load-side-live", "switch.load-side-live"],
  ] as const)("that is %s is found out", async (fault, expected) => {
    const { verdict } = await effect(town("generic-us", { fault }), { kind: "operateSwitch", to: "open" });
    expect(verdict.kind === "cannot-tell" ? verdict.code : verdict.kind).toBe(expected);
  });

  it("cannot be armed where the model cannot", async () => {
    await expect(effect(town("generic-us"), { kind: "operateSwitch", to: "armed" })).rejects.toMatchObject({
      reason: "unsupported",
    });
  });
});

describe("its demand", () => {
  it("is reset once, and the counter proves it", async () => {
    const one = town("commercial-us");
    const { before, answer, verdict } = await effect(one, { kind: "resetDemand" });
    expect(before.registers.map(({ measurement }) => measurement)).toEqual([
      "demand.active.import.max",
      "demand.apparent.import.max",
    ]);
    expect(before.registers[0]?.value).toBeGreaterThan(0n);
    expect([answer.kind, verdict.kind, one.meter.resets.state.count]).toEqual(["accepted", "happened", 1]);
  });

  it("is kept in the snapshot of the last reset, as it stood before it", async () => {
    const one = town("commercial-us");
    const { before } = await effect(one, { kind: "resetDemand" });
    const session = await one.open();
    const { snapshots = [] } = await session.perform({ kind: "readBilling" });
    expect(snapshots.map(({ kind, at }) => [kind, at])).toEqual([
      ["demand-reset", one.meter.resets.state.lastAt - (one.meter.resets.state.lastAt % 1000)],
    ]);
    const kept = snapshots[0]?.registers.filter(({ measurement }) => measurement.endsWith("import.max"));
    expect(kept).toEqual(before.registers);
    const after = await session.perform({ kind: "readRegisters" });
    const peak = after.registers.find(({ measurement }) => measurement === "demand.active.import.max");
    expect(peak?.value).toBeLessThan(before.registers[0]?.value ?? 0n);
  });

  it("is kept of seasons and self-reads too, where the model has these tables", async () => {
    const known = PROFILES.get("commercial-us");
    if (known?.protocol !== "c1222") throw new Error("no such profile");
    const { c1222 } = known;
    const profile = {
      ...known,
      c1222: {
        ...c1222,
        billing: { tables: [24, 25, 26] as (24 | 25 | 26)[], evidence: "unverified" as const },
        singleSourceTables: { ...c1222.singleSourceTables, tables: [...c1222.singleSourceTables.tables, 24, 26] },
      },
    };
    const { snapshots = [], refusals } = await (await town("", { profile }).open()).perform({ kind: "readBilling" });
    expect(refusals).toEqual([]);
    expect(snapshots.map(({ kind, at }) => `${new Date(at).toISOString().slice(0, 10)} ${kind}`)).toEqual([
      "2026-08-01 self-read",
      "2026-09-01 self-read",
      "2026-10-01 season",
      "2026-10-01 self-read",
      "2026-11-01 demand-reset",
      "2026-11-01 self-read",
    ]);
    const [, , season, read] = snapshots;
    expect(season?.registers).toEqual(read?.registers);
    const energies = snapshots.map(({ registers }) => registers[0]?.value ?? -1n);
    expect(energies).toEqual(energies.toSorted((left, right) => (left < right ? -1 : 1)));
  });

  it("that was acknowledged and not done is found out", async () => {
    const { answer, verdict } = await effect(town("generic-us", { fault: "hollow-reset" }), { kind: "resetDemand" });
    expect([answer.kind, verdict.kind]).toEqual(["accepted", "did-not-happen"]);
  });

  it.each([
    ["7", 7, "did-not-happen"],
    ["7", 8, "happened"],
    ["255", 0, "happened"],
    ["7", 9, "cannot-tell"],
    ["7", 6, "cannot-tell"],
  ])("counter %s, then %i", (resets, now, kind) => expect(comparedResets({ resets }, now, 256).kind).toBe(kind));

  it("is not touched without keys", async () => {
    const { effects } = await town("generic-us-clear").open();
    await expect(effects?.baseline({ kind: "resetDemand" })).rejects.toMatchObject({ reason: "unsafe" });
  });
});

describe("its clock", () => {
  it("is set where it is more wrong than is tolerated", async () => {
    const one = town("generic-us", { offsetMs: 61_000 });
    const { clockSet } = await (await one.open()).perform({ kind: "setClock" });
    expect(clockSet?.beforeMs).toBeGreaterThan(59_000);
    expect(Math.abs(clockSet?.afterMs ?? 1e9)).toBeLessThanOrEqual(1_000);
    expect(Math.abs(one.meter.parts.state.clock.offsetMs)).toBeLessThanOrEqual(1_000);
  });
  it("is left alone where it is right", async () => {
    const { clockSet } = await (await town("generic-us", { offsetMs: 900 }).open()).perform({ kind: "setClock" });
    expect(clockSet?.beforeMs).toBe(clockSet?.afterMs);
  });
});

const FORMS: readonly C1222FormOptions[] = [
  {},
  { dataOrder: "big" },
  ...([1, 2, 3] as const).map((timeFormat) => ({ timeFormat })),
  ...([0, 1, 2] as const).map((dataAccessMethod) => ({ dataAccessMethod })),
  { falling: true },
  { falling: true, dataAccessMethod: 2, dataOrder: "big", timeFormat: 2 },
];

describe("a commercial meter, within a session", () => {
  it.each(FORMS)("holds what its load model says in the form %j", async (form) => {
    const one = town("commercial-us", { form });
    const session = await one.open();
    const range = { from: NOW - 26 * HOUR_MS - (NOW % HOUR_MS), to: NOW - (NOW % HOUR_MS) };
    const { intervals } = await session.perform({ kind: "readIntervals", range });
    const truth = one.meter.truth(range.from, range.to).sets ?? [];
    expect(intervals.map(({ channelSet }) => channelSet)).toEqual(["load", "voltage"]);
    expect(intervals).toEqual(truth);
    expect(intervals[1]?.entries).toHaveLength(26);
    const { registers, refusals } = await session.perform({ kind: "readRegisters" });
    expect([registers.length, refusals]).toEqual([17, []]);
    await session.release();
  });

  it("both rates are the total, and each peak has its time", async () => {
    const { registers } = await (await town("commercial-us").open()).perform({ kind: "readRegisters" });
    const value = (name: string) => registers.find(({ measurement }) => measurement === name)?.value ?? -1n;
    expect(value("energy.active.import.tou.1") + value("energy.active.import.tou.2")).toBe(
      value("energy.active.import.total"),
    );
    const peaks = registers.filter(({ measurement }) => measurement.startsWith("demand."));
    expect(peaks.every(({ at }) => at !== undefined && at <= NOW)).toBe(true);
  });

  it("refuses another password, and nobody is served without one", async () => {
    await expect(town("commercial-us").open({ ...KEYS, llsSecret: "00" })).rejects.toMatchObject({ reason: "auth" });
  });
});

describe.each(["gas", "water"] as const)("a %s module", (commodity) => {
  const awake = Math.floor(NOW / (12 * HOUR_MS)) * 12 * HOUR_MS + 3_000;

  it("is read while it listens", async () => {
    const one = town(`${commodity}-module-us`, { at: awake });
    const session = await one.open();
    const range = { from: awake - 3_000 - 5 * HOUR_MS, to: awake - 3_000 };
    const { intervals, registers } = await session.perform({ kind: "readIntervals", range, registers: "total" });
    const truth = one.meter.truth(range.from, range.to);
    expect(intervals).toEqual(truth.sets);
    expect(intervals[0]?.entries).toHaveLength(5);
    expect(registers[0]).toMatchObject({ measurement: `volume.${commodity}`, scaler: -3 });
    expect(registers[0]?.value).toBe(truth.registers.at(-1)?.value);
  });

  it("sleeps otherwise", async () => {
    await expect(town(`${commodity}-module-us`, { at: awake + HOUR_MS }).open()).rejects.toMatchObject({
      reason: "timeout",
    });
  });

  it("says its register and its profile by itself, one way, under its own key", () => {
    const { meter } = town(`${commodity}-module-us`, { at: awake });
    const [push = new Uint8Array(0), ...more] = meter.pushes();
    expect(more).toEqual([]);
    const apdu = decode(AContext, push);
    expect(unsignedOf(apdu.callingAeQualifier ?? new Uint8Array(0))).toBe(AE_QUALIFIER.notification);
    const key = eaxPrimeKey(nodeCrypto, nodeCrypto.secretKey(fromHex(KEYS.unicast)));
    const opened = openApdu(apdu, () => key);
    if (opened.kind !== "opened") throw new Error(opened.code);
    expect(opened.control).toMatchObject({ edClassIncluded: true, securityMode: 2, responseControl: 2 });
    const { edClass, services } = readPayload(opened.payload, true);
    expect(Buffer.from(edClass ?? []).toString()).toBe(commodity === "gas" ? "HRSG" : "HRSW");
    expect(services.map((octets) => decodeRequest(octets))).toMatchObject(
      [0, 21, 61, 62, 23, 63, 64, 52].map((tableId) => ({ service: "fullWrite", tableId })),
    );
  });
});
