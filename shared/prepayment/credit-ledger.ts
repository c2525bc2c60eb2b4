import type { Clock } from "../ports/clock.ts";
import { HeadraceError } from "../ports/errors.ts";
import {
  type Account,
  type AccountId,
  type AccountStore,
  AMOUNT_MAX,
  type ChargedDay,
  type LedgerEntry,
} from "./account.ts";

/** An entry before it has its place. */
export type NewEntry = Omit<LedgerEntry, "seq" | "balance" | "at">;

/** What one write changes: entries, what they say of charged days, and the account's own state. */
export interface Change {
  readonly entries?: readonly NewEntry[];
  readonly days?: readonly Omit<ChargedDay, "seq">[];
  readonly state?: Partial<
    Pick<Account, "state" | "closedAt" | "standingTo" | "lookedBackOn" | "warned" | "supply" | "tariff" | "policy">
  >;
}

export interface LedgerPorts {
  readonly accounts: AccountStore;
  readonly clock: Clock;
}

/** `known`: entries of the change that were there before, by the same key. */
export type Committed =
  | { readonly kind: "written"; readonly account: Account; readonly known: readonly LedgerEntry[] }
  | { readonly kind: "unknown" };

const TRIES = 20;
const PAUSE_MS = 20;

/** What has been charged for a day, as `account` stands. */
export const chargedOf = async (
  { accounts }: LedgerPorts,
  { accountId, recent }: Account,
  day: number,
): Promise<ChargedDay | undefined> =>
  recent.days.findLast((one) => one.day === day) ?? (await accounts.chargedDay(accountId, day));

/** The entry of a key, as `account` stands; undefined: there is none. */
export const entryOf = async (
  { accounts }: LedgerPorts,
  { accountId, recent }: Account,
  key: string,
): Promise<LedgerEntry | undefined> =>
  recent.entries.find((one) => one.key === key) ?? (await accounts.keyed(accountId, key));

/**
 * Changes an account by one conditional write, which alone counts. Before it, what the last one added is archived, so that
 * whoever reads the account and then the archive sees every entry: a key that is in neither is in no earlier version, and
 * one that comes later makes this write fail. So a key is in the ledger once, whoever asks and wherever it stops; the
 * balance is the one before plus the amounts. `make` may be called again. Throws `prepayment.contended` (`later`).
 */
export async function commit(
  ports: LedgerPorts,
  accountId: AccountId,
  make: (account: Account) => Promise<Change | undefined>,
): Promise<Committed> {
  const { accounts, clock } = ports;
  for (let tries = 1; tries <= TRIES; tries++) {
    const account = await accounts.read(accountId);
    if (account === undefined) return { kind: "unknown" };
    const change = await make(account);
    if (change === undefined) return { kind: "written", account, known: [] };
    const known: LedgerEntry[] = [];
    const added: LedgerEntry[] = [];
    const at = Math.max(clock.now(), account.lastAt);
    let { balance } = account;
    for (const entry of change.entries ?? []) {
      const there = await entryOf(ports, account, entry.key);
      if (there !== undefined) {
        known.push(there);
        continue;
      }
      balance += entry.amount;
      if (Math.abs(balance) > AMOUNT_MAX)
        throw new HeadraceError("prepayment.balance-range", "expected a balance that can be counted exactly", {
          retry: "never",
        });
      added.push({ ...entry, seq: account.seq + added.length + 1, balance, at });
    }
    // Entries and what they say of a day go together: where the one is there already, so is the other.
    const days = added.length === 0 ? [] : (change.days ?? []);
    if (added.length === 0 && change.state === undefined) return { kind: "written", account, known };
    if (added.length > 0) await accounts.archive(accountId, account.recent);
    const seq = account.seq + added.length;
    const next: Account = {
      ...account,
      ...change.state,
      version: account.version + 1,
      ...(added.length === 0
        ? {}
        : { seq, balance, lastAt: at, recent: { entries: added, days: days.map((day) => ({ ...day, seq })) } }),
    };
    if ((await accounts.write(next, account.version)) === "written") return { kind: "written", account: next, known };
    await clock.sleep(PAUSE_MS * tries);
  }
  throw new HeadraceError("prepayment.contended", `expected to write account ${accountId}`, { retry: "later" });
}

export type Paid =
  | { readonly kind: "paid"; readonly account: Account; readonly entry: LedgerEntry }
  /** The key stands for another amount. */
  | { readonly kind: "conflict"; readonly entry: LedgerEntry }
  | { readonly kind: "unknown" | "closed" };

/** A payment or an adjustment, once for each key of the account, whoever brings it. */
export async function credit(
  ports: LedgerPorts,
  accountId: AccountId,
  entry: NewEntry & { readonly kind: "payment" | "adjustment" },
): Promise<Paid> {
  let isClosed = false;
  const done = await commit(ports, accountId, async (account) => {
    isClosed = account.state === "closed" && (await entryOf(ports, account, entry.key)) === undefined;
    return isClosed ? undefined : { entries: [entry] };
  });
  if (done.kind === "unknown") return done;
  if (isClosed) return { kind: "closed" };
  const { account, known } = done;
  const there = known[0] ?? (await entryOf(ports, account, entry.key));
  if (there === undefined) throw new RangeError("an entry that was written is there");
  return there.amount === entry.amount && there.kind === entry.kind
    ? { kind: "paid", account, entry: there }
    : { kind: "conflict", entry: there };
}

/** Entries with seq < `before`, newest first: what is recent, then the archive. */
export async function entriesOf(
  { accounts }: LedgerPorts,
  { accountId, recent }: Account,
  before: number,
  limit: number,
): Promise<readonly LedgerEntry[]> {
  const newest = recent.entries.filter(({ seq }) => seq < before).reverse();
  const first = recent.entries[0]?.seq ?? Number.POSITIVE_INFINITY;
  const rest =
    newest.length >= limit ? [] : await accounts.entries(accountId, Math.min(before, first), limit - newest.length);
  return [...newest, ...rest].slice(0, limit);
}
