import { describe, expect, it } from "vitest";
import type { MeterSession } from "../../shared/metering/driver.ts";
import {
  isOnce,
  type OnceOperation,
  type Operation,
  type OperationKind,
  REPLAY_CLASS,
} from "../../shared/metering/operation.ts";
import type { OperationResult } from "../../shared/metering/result.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { CALENDAR } from "./calendars.ts";
import { C1222, DLMS, type Side, standingClock } from "./two-protocols.ts";

/** Each operation of the catalogue by either driver on the same household's meter: the neutral results are the same. */

const NOW = Date.parse("2026-11-10T09:07:13Z");
const DAY_MS = 86_400_000;
const QUARTER_MS = 900_000;
const HOUR_MS = 3_600_000;
const lastQuarter = Math.floor(NOW / QUARTER_MS) * QUARTER_MS;
const LATER = lastQuarter + HOUR_MS;
const REGISTER = "energy.active.import.total";

/** Two conversations in one session with one meter: what is asked first makes what the second shows. */
type Asked = readonly Operation[];

/** What of an operation's result both protocols can say; each has to be there. */
interface Row {
  readonly asked: Asked;
  readonly said: (results: readonly OperationResult[]) => readonly unknown[];
}

const only =
  (part: (result: OperationResult) => unknown): Row["said"] =>
  (results) =>
    results.map(part);
const whole = only(({ clockOffsetMs: _, clockUncertaintyMs: __, ...result }) => result);
const control = (mode: Operation & { readonly kind: "controlLoad" }): Operation => mode;

/** A kind without a row does not compile. Where a protocol names what is its own (codes, destinations), that is left out. */
const ROWS: Readonly<Record<Exclude<OperationKind, OnceOperation["kind"] | "readCredit">, Row>> = {
  readRegisters: { asked: [{ kind: "readRegisters", measurements: [REGISTER] }], said: whole },
  readIntervals: {
    asked: [{ kind: "readIntervals", range: { from: lastQuarter - DAY_MS, to: lastQuarter }, registers: "total" }],
    said: whole,
  },
  readEvents: {
    asked: [{ kind: "readEvents", range: { from: lastQuarter - 80 * DAY_MS, to: lastQuarter } }],
    said: only(({ events = [] }) =>
      events.flatMap(({ at, event }) => (/^power\.(?:failed|restored)$/.test(event) ? [{ at, event }] : [])),
    ),
  },
  readVoltage: { asked: [{ kind: "readVoltage" }], said: whole },
  readSwitch: { asked: [{ kind: "readSwitch" }], said: whole },
  ping: {
    asked: [
      { kind: "ping", depth: "network" },
      { kind: "ping", depth: "meter" },
    ],
    said: whole,
  },
  setClock: {
    asked: [{ kind: "setClock" }],
    // A clock is read to the second.
    said: only(({ clockSet }) => [
      Math.round((clockSet?.beforeMs ?? Number.NaN) / 2_000),
      Math.abs(clockSet?.afterMs ?? Number.NaN) <= 1_000,
      clockSet?.over ?? [],
    ]),
  },
  controlLoad: {
    asked: [
      control({ kind: "controlLoad", control: { mode: "off", until: LATER } }),
      control({
        kind: "controlLoad",
        control: { mode: "cycle", until: LATER, periodSeconds: 1_800, offSeconds: 900 },
      }),
      control({ kind: "controlLoad", control: { mode: "release" } }),
    ],
    said: only(({ loadControl }) => loadControl),
  },
  readPowerLimit: { asked: [{ kind: "readPowerLimit" }], said: whole },
  setPowerLimit: {
    asked: [
      {
        kind: "setPowerLimit",
        limit: { watts: 4_000, overSeconds: 120, underSeconds: 600, over: "disconnect", under: "none" },
      },
      { kind: "readPowerLimit" },
      { kind: "setPowerLimit", limit: null },
      { kind: "readPowerLimit" },
    ],
    said: whole,
  },
  configurePush: {
    asked: [
      { kind: "configurePush", content: "alarms", enabled: true },
      { kind: "configurePush", content: "alarms", enabled: false },
    ],
    // How a push stands when a meter is new is its model's.
    said: only(({ pushSet }) => pushSet?.after.enabled),
  },
  programTariff: {
    asked: [{ kind: "programTariff", calendar: CALENDAR }, { kind: "readTariff" }],
    said: only(({ tariff }) => tariff?.active),
  },
  readTariff: {
    asked: [{ kind: "programTariff", calendar: CALENDAR, activateAt: LATER }, { kind: "readTariff" }],
    said: only(({ tariff }) => [tariff?.active.name, tariff?.passive, tariff?.activatesAt]),
  },
  sendPrice: {
    asked: [
      {
        kind: "sendPrice",
        price: { currency: "EUR", value: 4_512, scaler: -4 },
        from: lastQuarter,
        until: LATER,
        because: "critical-peak",
      },
    ],
    said: only(({ shownPrice }) => shownPrice),
  },
  // Their snapshots end at different instants: see below.
  readBilling: { asked: [{ kind: "readBilling" }], said: only(({ snapshots }) => [(snapshots?.length ?? 0) > 0]) },
};

const open = (side: Side, clock: Clock = standingClock(NOW)): Promise<MeterSession> =>
  side.open({ clock, clockOffsetMs: 61_000 });

async function said(side: Side, { asked, said: part }: Row): Promise<readonly unknown[]> {
  const session = await open(side);
  const results: OperationResult[] = [];
  for (const operation of asked) results.push(await session.perform(operation));
  await session.release();
  return part(results);
}

describe("the same neutral result by either protocol", () => {
  it.each(Object.entries(ROWS))("of %s", async (_, row) => {
    const [dlms, c1222] = [await said(DLMS, row), await said(C1222, row)];
    expect(c1222).toEqual(dlms);
    for (const one of c1222.flat()) expect(one).toBeDefined();
  });

  const ONCE: readonly OnceOperation[] = [
    { kind: "resetDemand" },
    { kind: "operateSwitch", to: "open" },
    { kind: "operateSwitch", to: "closed" },
  ];
  it.each(ONCE)("of $kind $to", async (operation) => {
    const effect = async (side: Side) => {
      const clock = standingClock(NOW);
      const { effects } = await open(side, clock);
      if (effects === undefined) return [];
      const { before, baseline } = await effects.baseline(operation);
      const { kind } = await effects.operate(operation);
      await clock.sleep(30_000);
      return [before.switch, kind, (await effects.prove(operation, baseline)).kind];
    };
    const [dlms, c1222] = [await effect(DLMS), await effect(C1222)];
    expect(c1222).toEqual(dlms);
    expect(c1222.slice(1)).toEqual(["accepted", "happened"]);
  });

  /** No C12.22 model keeps credit. */
  const CREDIT: readonly (OnceOperation | { readonly kind: "readCredit" })[] = [
    { kind: "readCredit" },
    { kind: "addCredit", amount: { currency: "EUR", value: 5, scaler: 0 } },
    { kind: "deliverToken", token: "00" },
  ];
  it.each(CREDIT)("but $kind, which a C12.22 model does not support", async (operation) => {
    const session = await open(C1222);
    const asked = isOnce(operation) ? session.effects?.baseline(operation) : session.perform(operation);
    await expect(asked).rejects.toMatchObject({ reason: "unsupported", code: "profile.no-prepayment" });
  });

  it("no kind of the catalogue is left out", () => {
    const compared = [...Object.keys(ROWS), ...[...ONCE, ...CREDIT].map(({ kind }) => kind)];
    expect(new Set(compared)).toEqual(new Set(Object.keys(REPLAY_CLASS)));
    expect(ONCE.every(isOnce)).toBe(true);
  });
});

describe("a billing snapshot", () => {
  it("of either meter holds what the other's load profile shows of that instant", async () => {
    for (const [side, other] of [
      [DLMS, C1222],
      [C1222, DLMS],
    ] as const) {
      const { snapshots = [] } = await (await open(side)).perform({ kind: "readBilling" });
      const last = snapshots.at(-1);
      const range = { from: (last?.at ?? 0) - QUARTER_MS, to: last?.at ?? 0 };
      const { intervals } = await (await open(other)).perform({ kind: "readIntervals", range });
      const energies = last?.registers.flatMap(({ measurement, value }) =>
        /^energy\.active\.(?:import|export)\.total$/.test(measurement) ? [value] : [],
      );
      expect(energies).toHaveLength(2);
      expect(intervals[0]?.entries.at(-1)?.values).toEqual(energies);
    }
  });
});
