import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { calendarData, calendarIn, specialDayData, specialDaysIn } from "../../shared/dlms/client/tariff-data.ts";
import type { DlmsTariff } from "../../shared/metering/dlms-equipment.ts";
import type { Operation } from "../../shared/metering/operation.ts";
import type { OperationResult } from "../../shared/metering/result.ts";
import { calendarText, sameCalendar, TariffCalendar, tierAt } from "../../shared/metering/tariff-calendar.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { toHex } from "../../shared/ports/octets.ts";
import type { FaultKind } from "../../shared/simulator/faults.ts";
import type { MeterState } from "../../shared/simulator/meter-state.ts";
import { wallTime } from "../../shared/simulator/zone.ts";
import { CALENDAR } from "./calendars.ts";
import { C1222, DLMS, type Side, standingClock } from "./two-protocols.ts";

/** Calendars of tariffs, written, read back, activated and counted by, by either driver. */

const NOW = Date.parse("2026-11-10T12:07:13Z"); // a Tuesday of the winter
const QUARTER_MS = 900_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const DIGEST = toHex(nodeCrypto.hash("sha256", new TextEncoder().encode(calendarText(CALENDAR))));

function bench(side: Side, fault?: FaultKind) {
  const clock = standingClock(NOW);
  let state: MeterState | undefined;
  const onMeter = (meter: { parts: { state: MeterState } }) => {
    state = meter.parts.state;
  };
  const opened = side.open({ clock, clockOffsetMs: 0, onMeter, ...(fault && { fault }) });
  return {
    clock,
    state: () => state as MeterState,
    ask: async (operation: Operation): Promise<OperationResult> => (await opened).perform(operation),
  };
}
const program = (activateAt?: number): Operation => ({
  kind: "programTariff",
  calendar: CALENDAR,
  ...(activateAt === undefined ? {} : { activateAt }),
});

describe.each([DLMS, C1222])("a $protocol meter's tariff", (side) => {
  it("is what was ordered as soon as it may be, and counts by it from then on", async () => {
    const meter = bench(side);
    const { tariff: before } = await meter.ask({ kind: "readTariff" });
    expect(before?.active.name).toBe("FACTORY");
    const { tariff } = await meter.ask(program());
    expect(tariff?.active).toEqual({ name: "RES-7", digest: DIGEST });
    expect((await meter.ask({ kind: "readTariff" })).tariff?.active.digest).toBe(DIGEST);

    const { zone, load, tariff: registers } = meter.state();
    const from = Math.floor(NOW / QUARTER_MS) * QUARTER_MS;
    const until = from + 3 * DAY_MS;
    const expected = [0, 0, 0, 0, 0];
    for (let at = from; at < until; at += QUARTER_MS) {
      const { year, month, day, dayOfWeek: weekday, hour, minute } = wallTime(zone, at);
      const tier = tierAt(CALENDAR, { year, month, day, weekday, minute: hour * 60 + minute });
      expected[tier] = (expected[tier] ?? 0) + load.energyAt(at + QUARTER_MS).importWh - load.energyAt(at).importWh;
    }
    for (const tier of [1, 2, 3])
      expect(registers.energyAt(tier, until).importWh - registers.energyAt(tier, from).importWh).toBe(expected[tier]);
    const sum = [1, 2, 3, 4].reduce((total, tier) => total + registers.energyAt(tier, until).importWh, 0);
    expect(sum).toBe(load.energyAt(until).importWh);
    expect(expected[3]).toBeGreaterThan(0);
  });

  it("waits on the passive side until its time, and is active from then on without anybody asking", async () => {
    const meter = bench(side);
    const activateAt = NOW - (NOW % HOUR_MS) + 6 * HOUR_MS;
    const { tariff } = await meter.ask(program(activateAt));
    expect(tariff).toMatchObject({
      active: { name: "FACTORY" },
      passive: { name: "RES-7", digest: DIGEST },
      activatesAt: activateAt,
    });
    expect(await meter.ask(program(activateAt))).toMatchObject({ tariff }); // an absolute set
    await meter.clock.sleep(activateAt - NOW - 1_000);
    expect((await meter.ask({ kind: "readTariff" })).tariff?.active.name).toBe("FACTORY");
    await meter.clock.sleep(DAY_MS);
    expect((await meter.ask({ kind: "readTariff" })).tariff?.active).toEqual({ name: "RES-7", digest: DIGEST });
    const { tariff: registers } = meter.state();
    expect(registers.energyAt(3, activateAt)).toEqual({ importWh: 0, exportWh: 0 });
    expect(registers.energyAt(3, activateAt + DAY_MS).importWh).toBeGreaterThan(0);
  });

  it("is not believed where the meter only says yes", async () => {
    const meter = bench(side, "hollow-tariff");
    await expect(meter.ask(program())).rejects.toMatchObject({ reason: "refused", code: "tariff.not-written" });
  });

  it("with more tiers than the model has is refused before anything is written", async () => {
    const meter = bench(side);
    const many = { ...CALENDAR, days: CALENDAR.days.map((one) => ({ ...one, switches: [{ minute: 0, tier: 8 }] })) };
    await expect(meter.ask({ kind: "programTariff", calendar: many })).rejects.toMatchObject({
      reason: "unsupported",
      code: "tariff.tiers",
    });
    expect((await meter.ask({ kind: "readTariff" })).tariff?.passive?.name ?? "").toBe("");
  });

  it("shows a price until it has ended, and none that has", async () => {
    const meter = bench(side);
    const order = {
      kind: "sendPrice",
      price: { currency: "EUR", value: 4_512, scaler: -4 },
      from: NOW - (NOW % HOUR_MS),
      because: "critical-peak",
    } as const;
    const { shownPrice } = await meter.ask({ ...order, until: order.from + 4 * HOUR_MS });
    expect(shownPrice).toBe("CRITICAL PEAK EUR 0.4512 2026-11-10T12:00Z/2026-11-10T16:00Z");
    await expect(meter.ask({ ...order, until: NOW - 1_000 })).rejects.toMatchObject({ code: "price.over" });
  });
});

describe("special days that have no passive side", () => {
  it("are not changed before the calendar is", async () => {
    const meter = bench(DLMS);
    const soon = { ...CALENDAR, specialDays: [{ month: 11, day: 12, dayId: 3 }] };
    await expect(
      meter.ask({ kind: "programTariff", calendar: soon, activateAt: NOW - (NOW % 1000) + 30 * DAY_MS }),
    ).rejects.toMatchObject({ reason: "unsafe", code: "tariff.special-days" });
    expect((await meter.ask({ kind: "readTariff" })).tariff?.passive?.name).toBe("");
  });
});

const TARIFF = {
  calendar: "0.0.13.0.0.255",
  specialDays: "0.0.11.0.0.255",
  scriptTable: "0.0.10.0.100.255",
  tiers: [11, 12, 13, 14],
  evidence: "unverified",
} satisfies DlmsTariff;
const calendars: fc.Arbitrary<TariffCalendar> = fc
  .record({
    months: fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 }),
    weeks: fc.array(fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 7, maxLength: 7 }), {
      minLength: 1,
      maxLength: 3,
    }),
    minutes: fc.uniqueArray(fc.integer({ min: 1, max: 1439 }), { maxLength: 6 }),
    tiers: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 8, maxLength: 8 }),
    special: fc.uniqueArray(fc.integer({ min: 1, max: 28 }), { maxLength: 5 }),
  })
  .map(({ months, weeks, minutes, tiers, special }) =>
    TariffCalendar.parse({
      name: "ANY",
      seasons: months.map((month) => ({
        name: `S${month}`,
        from: { month, day: 5 },
        week: `W${month % weeks.length}`,
      })),
      weeks: weeks.map((days, at) => ({ name: `W${at}`, days })),
      days: [1, 2, 3].map((day) => ({
        day,
        switches: [0, ...minutes.sort((left, right) => left - right)].map((minute, at) => ({
          minute,
          tier: tiers[(at + day) % tiers.length],
        })),
      })),
      specialDays: special.map((day) => ({ month: 7, day, dayId: 2 })),
    }),
  );

describe("a calendar as COSEM has it", () => {
  it("comes back as it was", () => {
    fc.assert(
      fc.property(calendars, (calendar) => {
        const data = calendarData(calendar, TARIFF);
        const back = data && calendarIn(data, specialDaysIn(specialDayData(calendar.specialDays)), TARIFF);
        expect(back && sameCalendar(back, calendar)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

describe("a calendar that contradicts itself is refused", () => {
  it.each([
    ["a season without its week", { ...CALENDAR, weeks: CALENDAR.weeks.slice(1) }],
    ["a week without its day", { ...CALENDAR, days: CALENDAR.days.slice(1) }],
    ["a day that begins late", { ...CALENDAR, days: [{ day: 1, switches: [{ minute: 5, tier: 1 }] }] }],
    ["the 31st of June", { ...CALENDAR, specialDays: [{ month: 6, day: 31, dayId: 3 }] }],
    ["two beginnings on one day", { ...CALENDAR, seasons: [...CALENDAR.seasons, ...CALENDAR.seasons] }],
  ])("%s", (_, calendar) => expect(TariffCalendar.safeParse(calendar).success).toBe(false));

  it("and the last season of a year lasts until the first of the next", () => {
    const moment = { year: 2027, month: 1, day: 13, weekday: 3, minute: 1_100 };
    expect(tierAt(CALENDAR, moment)).toBe(3);
    expect(tierAt(CALENDAR, { ...moment, month: 7 })).toBe(2);
    expect(tierAt(CALENDAR, { ...moment, month: 12, day: 25 })).toBe(1);
    expect(tierAt(CALENDAR, { ...moment, year: 2026, month: 12, day: 31 })).toBe(1);
    expect(tierAt(CALENDAR, { ...moment, year: 2027, month: 12, day: 31 })).toBe(3);
  });
});
