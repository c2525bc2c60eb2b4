import type { Place } from "../metering/meter.ts";
import type { DayBlocks } from "../readings/blocks.ts";
import { DAY_MS, type DayBlock, dayOf } from "../readings/day-block.ts";
import { decodeDayBlock } from "../readings/day-block-codec.ts";
import type { Account, AccountId } from "./account.ts";
import { dueOf, GAP_MAX_MS } from "./charge-day.ts";
import { type Change, chargedOf, commit, type LedgerPorts, type NewEntry } from "./credit-ledger.ts";
import { datesBegun, inForce, type Tariff } from "./tariff.ts";

/** Readings that come later than this change no charge any more. */
export const LATE_DAYS = 35;
/** Looked at each time: what comes is mostly of today or yesterday. */
const EVERY_TIME_DAYS = 2;
/** Standing charges that one write adds. */
const STANDING_MAX = 31;

export interface ChargePorts extends LedgerPorts {
  readonly blocks: Pick<DayBlocks, "ofMeter">;
}

async function blocksOf({ blocks }: ChargePorts, place: Place, from: number, to: number): Promise<readonly DayBlock[]> {
  const stored = await blocks.ofMeter(place, from, to);
  return stored.map(({ key, octets }) => decodeDayBlock(key.day, octets));
}

/**
 * Brings a day's charge to what its readings cost now: the difference to what was charged. The key counts the day's entries, so
 * that two who find the same difference charge it once, and one who finds an older state charges nothing.
 */
async function chargeDay(
  ports: ChargePorts,
  accountId: AccountId,
  tariff: Tariff,
  day: number,
  read: readonly DayBlock[],
): Promise<boolean> {
  let changed = false;
  await commit(ports, accountId, async (account): Promise<Change | undefined> => {
    changed = false;
    const due = dueOf(tariff, day, read, {
      from: account.openedAt,
      to: account.closedAt ?? Number.POSITIVE_INFINITY,
    });
    const charged = await chargedOf(ports, account, day);
    const total = due?.total ?? 0;
    if (due === undefined && charged === undefined) return undefined;
    if (charged !== undefined && charged.total === total && charged.intervals === (due?.intervals ?? 0))
      return undefined;
    const amount = (charged?.total ?? 0) - total;
    const entries = (charged?.entries ?? 0) + 1;
    const name = new Date(day).toISOString().slice(0, 10);
    const entry: NewEntry = {
      key: `energy/${name}/${entries}`,
      // More of the day has come, or what was known of it has changed.
      kind:
        charged === undefined || (amount <= 0 && (due?.intervals ?? 0) > charged.intervals) ? "charge" : "correction",
      amount,
      day: name,
      dayTotal: total,
      wattHours: due?.wattHours ?? 0,
      intervals: due?.intervals ?? 0,
      estimated: due?.estimated ?? 0,
    };
    changed = true;
    return { entries: [entry], days: [{ day, entries, total, intervals: due?.intervals ?? 0 }] };
  });
  return changed;
}

async function chargeStanding(ports: ChargePorts, accountId: AccountId, tariff: Tariff, now: number): Promise<void> {
  await commit(ports, accountId, async ({ standingTo, closedAt }) => {
    const dates = datesBegun(tariff, standingTo, Math.min(now, closedAt ?? now), STANDING_MAX);
    const last = dates.at(-1);
    if (last === undefined) return undefined;
    const entries = dates.flatMap((date): NewEntry[] => {
      const amount = -(inForce(tariff, Date.parse(`${date}T12:00:00Z`))?.standingPerDay ?? 0);
      return amount === 0 ? [] : [{ key: `standing/${date}`, kind: "standing", amount, day: date }];
    });
    return { entries, state: { standingTo: last } };
  });
}

/**
 * Charges an account for what is stored of its meter by `now` (clock ms): standing charges of the days begun, and the energy of today and
 * yesterday; once a day of all days that readings may still come for. Answers whether anything was charged; undefined: there is no
 * such account or tariff. May be repeated, by several at once.
 */
export async function chargeAccount(
  ports: ChargePorts,
  accountId: AccountId,
  now: number,
  whole = false,
): Promise<Account | undefined> {
  const account = await ports.accounts.read(accountId);
  const tariff = account && (await ports.accounts.tariff(account.tariff));
  if (account === undefined || tariff === undefined) return undefined;
  await chargeStanding(ports, accountId, tariff, now);
  const today = dayOf(now);
  const looksBack = whole || account.lookedBackOn !== today;
  const first = Math.max(dayOf(account.openedAt), today - (looksBack ? LATE_DAYS : EVERY_TIME_DAYS - 1) * DAY_MS);
  const last = Math.min(today, dayOf(account.closedAt ?? today));
  if (first <= last) {
    const read = await blocksOf(ports, account, first - GAP_MAX_MS - DAY_MS, now);
    const byDay = new Map<number, DayBlock[]>();
    for (const block of read) byDay.set(block.day, [...(byDay.get(block.day) ?? []), block]);
    const around = Math.ceil(GAP_MAX_MS / DAY_MS) + 1;
    for (let day = first; day <= last; day += DAY_MS) {
      const near = Array.from({ length: around + 1 }, (_, back) => byDay.get(day - back * DAY_MS) ?? []).flat();
      await chargeDay(ports, accountId, tariff, day, near);
    }
  }
  if (looksBack) await commit(ports, accountId, async () => ({ state: { lookedBackOn: today } }));
  return ports.accounts.read(accountId);
}
