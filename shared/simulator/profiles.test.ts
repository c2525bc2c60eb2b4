import { describe, expect, it } from "vitest";
import type { Operation } from "../metering/operation.ts";
import { PROFILES } from "../metering/profiles/catalogue.ts";
import type { OperationResult } from "../metering/result.ts";
import { type Lab, lab, meterSession, NOON, profileOf } from "./meter-lab-fixture.ts";

const DAY_MS = 86_400_000;

async function perform(of: Lab, operation: Operation, profile = of.profile): Promise<OperationResult> {
  const opened = await meterSession(of, { profile });
  try {
    return await opened.perform(operation);
  } finally {
    await opened.release();
  }
}

const DLMS_PROFILES = [...PROFILES.values()].flatMap((profile) => (profile.protocol === "dlms" ? [profile] : []));
const WITH_MBUS = DLMS_PROFILES.map(({ name }) => name).filter((name) => name.endsWith("-mbus"));
const OWN = DLMS_PROFILES.filter(({ dlms }) => dlms.mbus === undefined)
  .map(({ name }) => name)
  .filter((name) => !WITH_MBUS.includes(name));
const CHILDREN = DLMS_PROFILES.filter(({ dlms }) => dlms.mbus !== undefined);
const range = { from: NOON - 3 * DAY_MS - (NOON % 1000), to: NOON - (NOON % 1000) };
const month = { from: range.to - 60 * DAY_MS, to: range.to };

describe.each(OWN)("a simulated %s meter", (name) => {
  const of = lab(name);

  it("gives every register of its profile as its truth log has it", async () => {
    const { registers, refusals } = await perform(of, { kind: "readRegisters" });
    expect(refusals).toEqual([]);
    const served = of.meter.truth(range.from, range.to).registers;
    expect(registers.map(({ measurement, value, scaler }) => ({ measurement, value, scaler }))).toEqual(
      served.map(({ measurement, value, scaler }) => ({ measurement, value, scaler })),
    );
    expect(registers).toHaveLength(of.profile.dlms.registers.length);
  });

  it("gives the intervals of all its load profiles, status decoded, as its truth log has them", async () => {
    const { intervals, refusals } = await perform(of, { kind: "readIntervals", range });
    expect(refusals).toEqual([]);
    const { sets } = of.meter.truth(range.from, range.to);
    expect(intervals).toEqual(sets);
    for (const { period, entries } of intervals) expect(entries.length).toBe((3 * 86_400) / period);
  });

  it("gives the events of all its logs, or says that its profile has none", async () => {
    if (of.profile.dlms.events === undefined) {
      await expect(perform(of, { kind: "readEvents", range: month })).rejects.toMatchObject({ reason: "unsupported" });
      return;
    }
    const { events, refusals } = await perform(of, { kind: "readEvents", range: month });
    expect(refusals).toEqual([]);
    expect(events).toEqual(of.meter.truth(month.from, month.to).events);
    expect(events?.length).toBeGreaterThan(0);
  });

  it("gives every voltage that its profile maps", async () => {
    const { registers } = await perform(of, { kind: "readVoltage" });
    expect(registers.length).toBeGreaterThan(0);
    for (const { measurement, value, scaler } of registers) {
      expect(measurement).toMatch(/^voltage\./);
      expect(Number(value) * 10 ** scaler).toBeGreaterThan(200);
    }
  });

  it("shows its switch closed, with the voltages, or says that it has none", async () => {
    if (of.profile.dlms.switch === undefined) {
      await expect(perform(of, { kind: "readSwitch" })).rejects.toMatchObject({ code: "profile.no-switch" });
      return;
    }
    const result = await perform(of, { kind: "readSwitch" });
    expect(result.switch).toEqual({ position: "closed", contactClosed: true });
    expect(result.registers.length).toBeGreaterThan(0);
  });
});

describe("a meter that shortens its entries", () => {
  const read = async (shortens?: "clock" | "all") => {
    const of = lab("generic-eu", shortens && { shortens });
    let octets = 0;
    const opened = await meterSession(of, {
      link: (link) => ({
        kind: link.kind,
        send: (each) => link.send(each),
        close: () => link.close(),
        receive: async (deadline) => {
          const received = await link.receive(deadline);
          octets += received.length;
          return received;
        },
      }),
    });
    const { intervals, refusals } = await opened.perform({ kind: "readIntervals", range });
    expect(refusals).toEqual([]);
    expect(intervals).toEqual(of.meter.truth(range.from, range.to).sets);
    return octets;
  };

  it("is read all the same, by null in the clock's column, in any column, and by differences", async () => {
    const [whole, clock, all] = [await read(), await read("clock"), await read("all")];
    expect(clock).toBeLessThan(whole * 0.7);
    expect(all).toBeLessThan(clock * 0.85);
  });
});

describe.each(CHILDREN.map(({ name }) => name))("a %s meter on the M-Bus", (name) => {
  const child = profileOf(name);
  const parent = name.replace(/-(?:gas|water)-\d$/, "");
  const of = lab(parent, { children: [name] });

  it("is read through its electricity meter, registers and intervals as the truth log has them", async () => {
    const result = await perform(of, { kind: "readIntervals", range, registers: "total" }, child);
    expect(result.refusals).toEqual([]);
    const truth = of.meter.truth(range.from, range.to);
    expect(result.intervals).toEqual(truth.sets?.filter(({ channelSet }) => channelSet === "hourly"));
    expect(result.intervals[0]?.entries).toHaveLength(72);
    const [register] = result.registers;
    expect(register?.value).toBe(truth.registers.at(-1)?.value);
    expect(register?.at).toBe(truth.registers.at(-1)?.capturedAt);
  });
});

describe.each(WITH_MBUS)("an electricity meter read with its M-Bus as %s", (name) => {
  const parent = name.replace(/-mbus$/, "");
  const of = lab(parent, { children: [`${parent}-gas-1`, `${parent}-water-2`] });

  it("gives its own intervals, and those of the gas and the water meter under their names", async () => {
    const { intervals, registers, refusals } = await perform(
      of,
      { kind: "readIntervals", range, registers: "total" },
      profileOf(name),
    );
    expect(refusals).toEqual([]);
    const sets = intervals.map(({ channelSet }) => channelSet);
    expect(sets).toEqual([...of.profile.dlms.loadProfiles.map(({ channelSet }) => channelSet), "gas", "water"]);
    const truth = of.meter.truth(range.from, range.to).sets ?? [];
    const hourly = truth.filter(({ channelSet }) => channelSet === "hourly");
    expect(intervals.slice(-2).map(({ entries }) => entries)).toEqual(hourly.slice(-2).map(({ entries }) => entries));
    expect(registers.map(({ measurement }) => measurement)).toEqual(
      expect.arrayContaining(["energy.active.import.total", "volume.gas", "volume.water"]),
    );
  });
});

describe("an order to a simulated meter's switch", () => {
  const operate = async (of: Lab, to: "open" | "closed" | "armed", wait = 1_000) => {
    const opened = await meterSession(of);
    const { effects } = opened;
    if (effects === undefined) throw new Error("no effects");
    const operation = { kind: "operateSwitch", to } as const;
    const { baseline } = await effects.baseline(operation);
    const answer = await effects.operate(operation);
    of.clock.pass(wait);
    const verdict = await effects.prove(operation, baseline);
    await opened.release();
    return { answer, verdict };
  };

  it("opens it, is proved by position and contact, takes the voltage from the load side, and is logged", async () => {
    const of = lab("generic-eu");
    const { answer, verdict } = await operate(of, "open");
    expect(answer).toEqual({ kind: "accepted" });
    expect(verdict).toMatchObject({
      kind: "happened",
      shown: { switch: { position: "open", contactClosed: false } },
    });
    const voltages = verdict.kind === "happened" ? verdict.shown?.registers : [];
    expect(voltages?.find(({ measurement }) => measurement === "voltage.l1.load")?.value).toBe(0n);
    const { events } = await perform(of, {
      kind: "readEvents",
      range: { from: range.to - 60_000, to: range.to + 60_000 },
    });
    expect(events?.map(({ event, code, log }) => ({ event, code, log }))).toEqual([
      { event: "switch.opened", code: "62", log: "disconnector" },
    ]);
    expect((await operate(of, "closed")).verdict).toMatchObject({ kind: "happened" });
  });

  it("that would close at once is not sent where only arming was asked for, nor the other way round", async () => {
    const closing = lab("generic-eu");
    await operate(closing, "open");
    await expect(operate(closing, "armed")).rejects.toMatchObject({ reason: "unsafe", code: "dlms.switch-closes" });
    const arming = lab("g3-plc");
    await operate(arming, "open");
    await expect(operate(arming, "closed")).rejects.toMatchObject({ code: "dlms.switch-only-arms" });
    expect((await operate(arming, "armed")).verdict).toMatchObject({ shown: { switch: { position: "armed" } } });
    expect(arming.meter.parts.state.relay.press()).toBe(true);
    arming.clock.pass(1_000);
    expect((await perform(arming, { kind: "readSwitch" })).switch?.position).toBe("closed");
  });

  it("that the meter acknowledges and does not do is not proved", async () => {
    expect((await operate(lab("generic-eu", { fault: "hollow-switch" }), "open")).verdict).toMatchObject({
      kind: "did-not-happen",
    });
  });

  it("whose contact is welded cannot be told", async () => {
    expect((await operate(lab("generic-eu", { fault: "welded" }), "open")).verdict).toMatchObject({
      kind: "cannot-tell",
      code: "switch.contact-differs",
    });
  });

  it("shows a load side that stays live though the switch is open", async () => {
    const { verdict } = await operate(lab("generic-eu", { fault: "load-side-live" }), "open");
    expect(verdict).toMatchObject({ kind: "cannot-tell", code: "switch.load-side-live" });
    const voltages = verdict.shown?.registers;
    expect(voltages?.find(({ measurement }) => measurement === "voltage.l1.load")?.value).toBeGreaterThan(2_000n);
  });

  it("is refused over a session that proves no keys", async () => {
    const of = lab("generic-eu-lls");
    const opened = await meterSession(of, {
      profile: {
        ...of.profile,
        dlms: { ...of.profile.dlms, switch: profileOf("generic-eu").dlms.switch },
      },
    });
    await expect(opened.effects?.baseline({ kind: "operateSwitch", to: "open" })).rejects.toMatchObject({
      reason: "unsafe",
      code: "dlms.unproved-session",
    });
  });
});

describe("setting a simulated meter's clock", () => {
  it.each([
    ["generic-eu", 42_000, "shifted"],
    ["generic-eu", 7_200_000, "written"],
    ["g3-plc", -2_500_000, "shifted in steps"],
    ["is15959-d1", 42_000, "written"],
  ] as const)("of %s, %i ms off, ends within a second: it is %s", async (name, clockOffsetMs, _how) => {
    const of = lab(name, { clockOffsetMs });
    const { clockSet } = await perform(of, { kind: "setClock", upToMs: 7_200_000 });
    expect(Math.abs((clockSet?.beforeMs ?? 0) - clockOffsetMs)).toBeLessThanOrEqual(10);
    expect(Math.abs(clockSet?.afterMs ?? Number.NaN)).toBeLessThanOrEqual(1_000);
    expect(Math.abs(of.meter.parts.state.clock.offsetMs)).toBeLessThanOrEqual(1_000);
  });

  it("sends nothing while it is within the profile's tolerance", async () => {
    const of = lab("generic-eu", { clockOffsetMs: 2_900 });
    const { clockSet } = await perform(of, { kind: "setClock" });
    expect(clockSet).toEqual({ beforeMs: clockSet?.beforeMs, afterMs: clockSet?.beforeMs });
    expect(of.meter.parts.state.clock.offsetMs).toBe(2_900);
  });

  it("refuses what a model without writing cannot reach by shifting", async () => {
    const order = { kind: "setClock", upToMs: 20_000_000 } as const;
    await expect(perform(lab("g3-plc", { clockOffsetMs: 10_000_000 }), order)).rejects.toMatchObject({
      code: "dlms.clock-too-far",
    });
  });

  it("does not touch one that is farther off than the order says", async () => {
    const of = lab("generic-eu", { clockOffsetMs: 3_600_000 });
    await expect(perform(of, { kind: "setClock" })).rejects.toMatchObject({ code: "clock.too-far" });
    expect(of.meter.parts.state.clock.offsetMs).toBe(3_600_000);
  });

  it("of a model whose intervals do not say so waits for an interval to end, and never crosses one", async () => {
    // The clock shows 12:30:13 when it is 12:07:13.
    const of = lab("is15959-d1", { clockOffsetMs: 1_380_000 });
    const refused = perform(of, { kind: "setClock", upToMs: 1_500_000 });
    await expect(refused).rejects.toMatchObject({ code: "clock.unmarked", reason: "unsafe", retry: "never" });
    expect(of.meter.parts.state.clock.offsetMs).toBe(1_380_000);
  });
});
