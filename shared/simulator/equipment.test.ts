import { describe, expect, it } from "vitest";
import { pushSource, receivePush } from "../dlms/client/push-receiver.ts";
import type { DlmsSession } from "../dlms/client/session.ts";
import type { Data } from "../dlms/data.ts";
import { ACTION_RESULT, DATA_ACCESS_RESULT } from "../dlms/data-access-result.ts";
import { dateTimeAt, dateTimeData } from "../dlms/date-time.ts";
import { attributeOf, methodOf } from "../dlms/objects/interface-class.ts";
import { Limiter } from "../dlms/objects/limiter.ts";
import { ProfileGeneric } from "../dlms/objects/profile-generic.ts";
import { any } from "../dlms/objects/shape.ts";
import { WrapperSplitter } from "../dlms/wrapper.ts";
import { INTERVAL_STATUS } from "../metering/result.ts";
import { nodeCrypto } from "../ports/node-crypto.ts";
import { dlmsSession, type Lab, lab, meterSession, NOON, profileOf } from "./meter-lab-fixture.ts";

const read = async (session: DlmsSession, classId: number, obis: string, id: number): Promise<Data> => {
  const answer = await session.read(attributeOf({ classId }, { id, shape: any }, obis));
  if (answer.kind === "refused") throw new Error(`refused: ${answer.result}`);
  return answer.value;
};
const write = (session: DlmsSession, classId: number, obis: string, id: number, value: Data): Promise<number> =>
  session.write(attributeOf({ classId }, { id, shape: any }, obis), value);
const call = async (session: DlmsSession, classId: number, obis: string, id: number, parameter: Data) =>
  (await session.invoke(methodOf({ classId }, { id, parameter: any }, obis), parameter)).result;
const zero: Data = { type: "integer", value: 0 };
const LIMITER = "0.0.17.0.0.255";

describe("the limiter of a simulated meter", () => {
  it("opens the switch when the demand stays above its threshold, logs it, and lets the switch close again", async () => {
    const of = lab("g3-plc"); // control mode 5: the meter itself may reconnect
    const session = await dlmsSession(of);
    const limit = (watts: number) =>
      session.write(attributeOf(Limiter, Limiter.attributes.thresholdNormal, LIMITER), {
        type: "double-long-unsigned",
        value: watts,
      } as never);
    expect(await limit(1)).toBe(DATA_ACCESS_RESULT.success);
    of.clock.pass(70_000);
    await read(session, 71, LIMITER, 3);
    of.clock.pass(70_000);
    await read(session, 71, LIMITER, 3);
    of.clock.pass(1_000);
    expect((await (await meterSession(of)).perform({ kind: "readSwitch" })).switch?.position).toBe("armed");
    const { events } = await (await meterSession(of)).perform({
      kind: "readEvents",
      range: { from: NOON - (NOON % 1000) - 60_000, to: NOON - (NOON % 1000) + 600_000 },
    });
    expect(events?.map(({ event }) => event)).toEqual(["limit.threshold-changed", "limit.exceeded", "switch.opened"]);
  });
});

describe("a Push setup of a simulated meter", () => {
  const values = (of: Lab) => {
    const source = pushSource(nodeCrypto, of.profile, of.meter.plan.enrolled, of.meter.plan);
    const lists = of.meter.parts.pushes.map(({ settings }) => settings.objects);
    return of.meter
      .duePushes()
      .flatMap((frame) => new WrapperSplitter().push(frame))
      .map(({ apdu }) => receivePush(source, () => undefined, apdu, { lists, profile: of.profile }));
  };

  it("sends its values once an hour under the meter's keys, with what they mean by the device profile", () => {
    const of = lab("idis-p2");
    expect(values(of)).toEqual([]);
    of.clock.pass(3_600_000);
    const [pushed, load, ...more] = values(of);
    expect(more).toEqual([]);
    expect(load?.values.map(({ attribute }) => attribute?.classId)).toEqual([40, 1, 7]);
    expect(pushed?.authenticated?.title).toBe(of.meter.plan.systemTitle);
    const truth = of.meter.truth(NOON, NOON + 7_200_000).registers;
    expect(pushed?.values.flatMap(({ measurement, number }) => (number ? [[measurement, number.value]] : []))).toEqual(
      truth.map(({ measurement, value }) => [measurement, value]),
    );
    expect(values(of)).toEqual([]);
  });

  it("sends at once when it is told to", async () => {
    const of = lab("idis-p2");
    const session = await dlmsSession(of);
    expect(await call(session, 40, "0.0.25.9.0.255", 1, zero)).toBe(ACTION_RESULT.success);
    expect(values(of)).toHaveLength(1);
  });
});

describe("an M-Bus client of a simulated meter", () => {
  const CLIENT_OBJECT = "0.1.24.1.0.255";
  it("says what hangs on its channel, and takes its key without showing it", async () => {
    const of = lab("dsmr5", { children: ["dsmr5-gas-1"] });
    const session = await dlmsSession(of);
    expect(await read(session, 72, CLIENT_OBJECT, 9)).toEqual({ type: "unsigned", value: 3 });
    const serial = of.meter.parts.children[0]?.child.serial ?? "";
    expect(await read(session, 72, CLIENT_OBJECT, 6)).toEqual({
      type: "double-long-unsigned",
      value: Number.parseInt(serial, 16),
    });
    const key: Data = { type: "octet-string", value: new Uint8Array(16).fill(7) };
    expect(await call(session, 72, CLIENT_OBJECT, 7, { ...key, value: new Uint8Array(3) })).toBe(
      ACTION_RESULT["other-reason"],
    );
    expect(await call(session, 72, CLIENT_OBJECT, 7, key)).toBe(ACTION_RESULT.success);
    expect(await read(session, 72, CLIENT_OBJECT, 14)).toEqual({ type: "enum", value: 1 });
    expect(await call(session, 72, CLIENT_OBJECT, 2, zero)).toBe(ACTION_RESULT.success);
    expect(await read(session, 72, CLIENT_OBJECT, 9)).toEqual({ type: "unsigned", value: 0 });
    expect(await call(session, 72, CLIENT_OBJECT, 7, key)).toBe(ACTION_RESULT["object-unavailable"]);
  });
});

describe("the billing profile of a simulated meter", () => {
  it.each(["idis-p2", "dsmr5", "is15959-d1"])(
    "of %s keeps a snapshot of each month's end, values rising",
    async (name) => {
      const of = lab(name);
      const { billing } = profileOf(name).dlms;
      const session = await dlmsSession(of);
      const answer = await session.read(
        attributeOf(ProfileGeneric, ProfileGeneric.attributes.buffer, billing?.obis ?? ""),
      );
      const rows = answer.kind === "value" && answer.value.type === "array" ? answer.value.value : [];
      expect(rows).toHaveLength(billing?.depth ?? 0);
      const first = rows.map((row) => (row.type === "structure" ? Number(row.value[1]?.value) : Number.NaN));
      expect(first).toEqual(first.toSorted((left, right) => left - right));
      expect(new Set(first).size).toBeGreaterThan(10);
    },
  );

  it.each(["idis-p2", "dsmr5", "is15959-d1", "generic-eu"])(
    "of %s is read as it is, each peak with its time",
    async (name) => {
      const of = lab(name);
      const { billing } = profileOf(name).dlms;
      const { snapshots = [], refusals } = await (await meterSession(of)).perform({ kind: "readBilling" });
      expect(refusals).toEqual([]);
      expect(snapshots).toHaveLength(billing?.depth ?? 0);
      const rising = snapshots.map(({ registers }) => registers[0]?.value ?? -1n);
      expect(rising).toEqual(rising.toSorted((left, right) => (left < right ? -1 : 1)));
      for (const [index, { kind, at, registers }] of snapshots.entries()) {
        expect(kind).toBe("billing");
        expect(registers.map(({ measurement }) => measurement)).toEqual(
          billing?.registers.map(({ measurement }) => measurement),
        );
        const begun = snapshots[index - 1]?.at ?? 0;
        for (const { measurement, at: peak } of registers)
          if (measurement.startsWith("demand.")) {
            expect(peak).toBeGreaterThanOrEqual(begun);
            expect(peak).toBeLessThanOrEqual(at);
          } else expect(peak).toBeUndefined();
      }
      // What the last period closed with is what the register showed then.
      const last = snapshots.at(-1);
      const month = { from: (last?.at ?? 0) - 86_400_000, to: last?.at ?? 0 };
      const again = await (await meterSession(of)).perform({ kind: "readBilling", range: month });
      expect(again.snapshots).toEqual([last]);
    },
  );

  it("captures energies as the load profile has them at the same instant", async () => {
    const of = lab("generic-eu");
    const session = await meterSession(of);
    const { snapshots = [] } = await session.perform({ kind: "readBilling" });
    const { at, registers } = snapshots.at(-1) ?? { at: 0, registers: [] };
    const { intervals } = await session.perform({ kind: "readIntervals", range: { from: at - 900_000, to: at } });
    expect(registers.slice(0, 2).map(({ value }) => value)).toEqual(intervals[0]?.entries.at(-1)?.values);
  });
});

describe("the Security setup of a simulated meter", () => {
  it("is only ever strengthened", async () => {
    const of = lab("idis-p3");
    const session = await dlmsSession(of);
    const setup = "0.0.43.0.0.255";
    const before = await read(session, 64, setup, 2);
    expect(await call(session, 64, setup, 1, { type: "enum", value: 0 })).toBe(ACTION_RESULT["read-write-denied"]);
    expect(await read(session, 64, setup, 2)).toEqual(before);
    expect(await write(session, 64, setup, 2, { type: "enum", value: 0 })).toBe(
      DATA_ACCESS_RESULT["read-write-denied"],
    );
    expect(await read(session, 64, setup, 3)).toEqual({ type: "enum", value: 1 });
  });
});

describe("the clock of a simulated meter", () => {
  const CLOCK = "0.0.1.0.0.255";
  const now = (of: Lab): number => of.meter.parts.state.now();
  const stamp = (at: number): Data => dateTimeData(dateTimeAt(at, -60));

  it("is adjusted to the minute, to the quarter and by a shift of at most 900 s", async () => {
    const of = lab("generic-eu");
    const session = await dlmsSession(of);
    expect(await call(session, 8, CLOCK, 3, zero)).toBe(ACTION_RESULT.success);
    expect(now(of) % 60_000).toBe(0);
    expect(await call(session, 8, CLOCK, 6, { type: "long", value: 900 })).toBe(ACTION_RESULT.success);
    expect(await call(session, 8, CLOCK, 6, { type: "long", value: 901 })).toBe(ACTION_RESULT["other-reason"]);
    expect(await call(session, 8, CLOCK, 1, zero)).toBe(ACTION_RESULT.success);
    expect(now(of) % 900_000).toBe(0);
  });

  it("takes a preset time only within its validity, and once", async () => {
    const of = lab("generic-eu", { clockOffsetMs: 0 });
    const session = await dlmsSession(of);
    const preset: Data = {
      type: "structure",
      value: [stamp(NOON + 3_600_000), stamp(NOON + 60_000), stamp(NOON + 120_000)],
    };
    expect(await call(session, 8, CLOCK, 5, preset)).toBe(ACTION_RESULT.success);
    expect(await call(session, 8, CLOCK, 4, zero)).toBe(ACTION_RESULT["other-reason"]);
    of.clock.pass(90_000);
    expect(await call(session, 8, CLOCK, 4, zero)).toBe(ACTION_RESULT.success);
    expect(now(of)).toBe(NOON + 3_600_000);
    expect(await call(session, 8, CLOCK, 4, zero)).toBe(ACTION_RESULT["other-reason"]);
  });

  it("logs the time before and after it was set, and marks the interval", async () => {
    const of = lab("generic-eu", { clockOffsetMs: 120_000 });
    await (await meterSession(of)).perform({ kind: "setClock" });
    const range = { from: NOON - (NOON % 1000) - 60_000, to: NOON - (NOON % 1000) + 600_000 };
    const { events } = await (await meterSession(of)).perform({ kind: "readEvents", range });
    expect(events?.map(({ event, code }) => [event, code])).toEqual([
      ["clock.set", "5"],
      ["clock.changed", "4"],
    ]);
    of.clock.pass(900_000);
    const quarter = Math.floor(now(of) / 900_000) * 900_000;
    const { intervals } = await (await meterSession(of)).perform({
      kind: "readIntervals",
      range: { from: quarter - 900_000, to: quarter },
    });
    expect((intervals[0]?.entries[0]?.status ?? 0) & INTERVAL_STATUS.clockAdjusted).not.toBe(0);
  });

  it("cannot be set through a session that reads only", async () => {
    const session = await dlmsSession(lab("generic-eu-lls"));
    expect(await write(session, 8, CLOCK, 2, stamp(NOON))).toBe(DATA_ACCESS_RESULT["read-write-denied"]);
    expect(await call(session, 8, CLOCK, 3, zero)).toBe(ACTION_RESULT["object-undefined"]);
  });
});
