import { describe, expect, it } from "vitest";
import { handClock } from "../jobs/engine-fixture.ts";
import { DAY_MS } from "../readings/day-block.ts";
import { memoryDayBlocks } from "../readings/memory-day-blocks.ts";
import { chargeAccount } from "./charge-account.ts";
import { dueOf } from "./charge-day.ts";
import { credit, entriesOf } from "./credit-ledger.ts";
import { memoryAccounts } from "./memory-accounts.ts";
import { DAY, dialsOf, newAccount, openAccount, steady, store, TARIFF } from "./prepayment-fixture.ts";
import { priceAt, Tariff } from "./tariff.ts";

const ALWAYS = { from: 0, to: Number.POSITIVE_INFINITY };
const dialBefore = (dial: bigint) => dialsOf(DAY - DAY_MS, new Map([[95, dial]]));

describe("a tariff", () => {
  it("prices by the wall clock of its zone, windows over midnight and days of the week included", () => {
    const tariff = Tariff.parse({
      ...TARIFF,
      versions: [
        {
          ...TARIFF.versions[0],
          timeZone: "Europe/Vienna",
          rates: { cheap: 1, dear: 2 },
          windows: [{ rate: "cheap", when: { days: [6], from: "22:00", to: "06:00" } }],
          otherwise: "dear",
        },
      ],
    });
    // 2026-11-14 is a Saturday; Vienna is an hour ahead.
    expect(priceAt(tariff, Date.parse("2026-11-14T20:59:00Z"))).toBe(2);
    expect(priceAt(tariff, Date.parse("2026-11-14T21:00:00Z"))).toBe(1);
    expect(priceAt(tariff, Date.parse("2026-11-15T04:59:00Z"))).toBe(1);
    expect(priceAt(tariff, Date.parse("2026-11-15T05:00:00Z"))).toBe(2);
    expect(priceAt(tariff, Date.parse("2026-11-15T21:00:00Z"))).toBe(2);
  });
});

describe("a day's charge", () => {
  it("is its energy at the price of each interval, rounded once", () => {
    // 12 h at 20 and 12 h at 30 cents; 0.1 kWh a quarter.
    const due = dueOf(TARIFF, DAY, [dialBefore(1_000n), steady(DAY, 1_000n, 100n)], ALWAYS);
    expect(due).toEqual({ total: 240, wattHours: 9_600, intervals: 96, estimated: 0 });
    expect(dueOf(TARIFF, DAY, [dialBefore(0n), dialsOf(DAY, new Map([[0, 24n]]))], ALWAYS)?.total).toBe(0);
    expect(dueOf(TARIFF, DAY, [dialBefore(0n), dialsOf(DAY, new Map([[0, 25n]]))], ALWAYS)?.total).toBe(1);
  });

  it("prices a gap at its lowest price, until the readings are there", () => {
    const ends = new Map([
      [31, 1_000n], // 08:00
      [95, 2_000n], // 24:00
    ]);
    expect(dueOf(TARIFF, DAY, [dialsOf(DAY, ends)], ALWAYS)).toEqual({
      total: 20,
      wattHours: 1_000,
      intervals: 64,
      estimated: 64,
    });
  });

  it("is nothing of a dial that falls, before the account was opened, or without a reading before", () => {
    expect(dueOf(TARIFF, DAY, [dialBefore(5_000n), dialsOf(DAY, new Map([[0, 1n]]))], ALWAYS)).toBeUndefined();
    expect(dueOf(TARIFF, DAY, [dialsOf(DAY, new Map([[0, 1n]]))], ALWAYS)).toBeUndefined();
    const late = { from: DAY + 12 * 3_600_000, to: ALWAYS.to };
    expect(dueOf(TARIFF, DAY, [dialBefore(1_000n), steady(DAY, 1_000n, 100n)], late)?.intervals).toBe(48);
  });
});

describe("charging an account", () => {
  const setUp = async () => {
    const clock = handClock(DAY + DAY_MS / 2);
    const ports = { accounts: memoryAccounts(), clock, blocks: memoryDayBlocks() };
    await openAccount(ports.accounts, newAccount("A-1"));
    await store(ports.blocks, dialBefore(1_000n));
    const charge = () => chargeAccount(ports, "A-1", clock.now());
    const entries = async () => {
      const account = await ports.accounts.read("A-1");
      return account === undefined ? [] : (await entriesOf(ports, account, 1e9, 100)).toReversed();
    };
    return { ...ports, charge, entries };
  };

  it("takes each interval once, late ones as they come, and corrects what was corrected", async () => {
    const { blocks, charge, entries } = await setUp();
    await store(blocks, steady(DAY, 1_000n, 100n, 0, 32)); // to 08:00
    await charge();
    await charge();
    await store(blocks, steady(DAY, 1_000n, 100n, 0, 40)); // two hours of the day's price more
    await charge();
    await store(blocks, steady(DAY, 1_000n, 50n, 0, 40)); // it was half of it all the time
    await charge();
    await charge();
    expect((await entries()).map(({ kind, amount, balance, dayTotal }) => [kind, amount, balance, dayTotal])).toEqual([
      ["standing", -25, -25, undefined],
      ["charge", -64, -89, 64],
      ["charge", -24, -113, 88],
      ["correction", 44, -69, 44],
    ]);
  });

  it("takes the standing charge of each day begun once", async () => {
    const { charge, entries, clock } = await setUp();
    await charge();
    clock.pass(3 * DAY_MS);
    await charge();
    await charge();
    expect((await entries()).map(({ day }) => day)).toEqual(["2026-11-10", "2026-11-11", "2026-11-12", "2026-11-13"]);
  });
});

describe("a payment", () => {
  it("is credited once for each key, and another amount under it is refused", async () => {
    const ports = { accounts: memoryAccounts(), clock: handClock(DAY) };
    await openAccount(ports.accounts, newAccount("A-1"));
    const pay = (key: string, amount: number) => credit(ports, "A-1", { key, kind: "payment", amount });
    expect(await pay("1", 500)).toMatchObject({ kind: "paid", entry: { seq: 1, balance: 500 } });
    await pay("2", 700);
    await pay("3", 900);
    expect(await pay("1", 500)).toMatchObject({ kind: "paid", entry: { seq: 1, balance: 500 } });
    expect((await pay("1", 501)).kind).toBe("conflict");
    expect(await credit(ports, "A-2", { key: "1", kind: "payment", amount: 1 })).toEqual({ kind: "unknown" });
    expect((await ports.accounts.read("A-1"))?.balance).toBe(2_100);
  });
});
