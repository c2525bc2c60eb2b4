import type { DayBlocks } from "../readings/blocks.ts";
import { DAY_MS, type DayBlock } from "../readings/day-block.ts";
import { encodeDayBlock } from "../readings/day-block-codec.ts";
import type { Account, AccountStore } from "./account.ts";
import { PrepaymentPolicy } from "./policy.ts";
import { Tariff } from "./tariff.ts";

export const DAY = Date.UTC(2026, 10, 10);
export const PLACE = { segment: 3, slot: 5 } as const;
const QUARTER_MS = 900_000;

/** 20 cents a kWh, 30 from 08:00 to 20:00; 25 cents a day. */
export const TARIFF = Tariff.parse({
  name: "home",
  currency: "EUR",
  versions: [
    {
      from: 0,
      timeZone: "UTC",
      standingPerDay: 25,
      rates: { night: 20_000, day: 30_000 },
      windows: [{ rate: "day", when: { from: "08:00", to: "20:00" } }],
      otherwise: "night",
    },
  ],
});
export const POLICY = PrepaymentPolicy.parse({
  name: "usual",
  warnAt: [500],
  disconnectAt: 0,
  reconnectAt: 100,
  reconnectTo: "closed",
  automatic: true,
});

export const newAccount = (accountId: string, part: Partial<Account> = {}): Account => ({
  accountId,
  meterId: "M-1" as Account["meterId"],
  ...PLACE,
  tariff: TARIFF.name,
  policy: POLICY.name,
  currency: "EUR",
  state: "active",
  openedAt: DAY - DAY_MS,
  version: 1,
  seq: 0,
  balance: 0,
  lastAt: DAY,
  recent: { entries: [], days: [] },
  warned: [],
  supply: { wanted: "on", order: 0, at: DAY, ended: "done" },
  ...part,
});

export async function openAccount(accounts: AccountStore, account: Account): Promise<void> {
  await accounts.putTariff(TARIFF);
  await accounts.putPolicy(POLICY);
  await accounts.create(account);
  await accounts.list(account);
}

const origin = { batch: "0123456789abcdef", at: DAY };
/** A day of dials, Wh: interval number → value. */
export const dialsOf = (day: number, dials: ReadonlyMap<number, bigint>): DayBlock => ({
  day,
  period: QUARTER_MS / 1000,
  channels: [{ measurement: "energy.active.import.total", scaler: 0 }],
  entries: new Map([...dials].map(([number, value]) => [number, { values: [value], status: 0, origin }])),
  side: [],
  registers: [],
});
/** `perQuarter` Wh in each interval from `from` to `to` (excluded) of a day whose first interval begins at `start`. */
export const steady = (day: number, start: bigint, perQuarter: bigint, from = 0, to = 96): DayBlock =>
  dialsOf(
    day,
    new Map(Array.from({ length: to - from }, (_, at) => [from + at, start + perQuarter * BigInt(from + at + 1)])),
  );

export async function store(blocks: DayBlocks, block: DayBlock): Promise<void> {
  const key = { ...PLACE, day: block.day, set: "load" };
  const [was] = await blocks.read([key]);
  await blocks.write(key, encodeDayBlock(block), was?.version ?? 0);
}
