import { z } from "zod";
import type { Written } from "../jobs/ledger.ts";
import { MeterId } from "../metering/meter.ts";
import type { PrepaymentPolicy } from "./policy.ts";
import { type Tariff, TariffName } from "./tariff.ts";

/** Minor units of the currency; a credit is positive. */
export const AMOUNT_MAX = 1_000_000_000_000;
export const Amount = z.int().min(-AMOUNT_MAX).max(AMOUNT_MAX);
export const AccountId = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);
export type AccountId = z.infer<typeof AccountId>;
export const EntryKey = z.string().min(1).max(200);

export const ENTRY_KINDS = ["payment", "adjustment", "charge", "correction", "standing"] as const;

/** One credit or charge; never changed. */
export const LedgerEntry = z.strictObject({
  /** From 1, without gaps. */
  seq: z.int().min(1),
  /** What makes it the same entry however often it is asked for. */
  key: EntryKey,
  kind: z.enum(ENTRY_KINDS),
  amount: Amount,
  /** The sum of all amounts up to this one. */
  balance: Amount,
  /** Clock ms. */
  at: z.int(),
  /** `yyyy-mm-dd`: the UTC day of a charge for energy, the local one of a standing charge. */
  day: z.string().optional(),
  /** Of a charge: what the day's energy costs in all by now, so much energy (Wh), in so many intervals, estimated ones among them. */
  dayTotal: z.int().optional(),
  wattHours: z.int().optional(),
  intervals: z.int().optional(),
  estimated: z.int().optional(),
  by: z.strictObject({ id: z.string(), name: z.string().optional() }).optional(),
  reference: z.string().max(200).optional(),
  reason: z.string().max(500).optional(),
});
export type LedgerEntry = z.infer<typeof LedgerEntry>;

/** What has been charged for one UTC day: by its last entry. */
export const ChargedDay = z.strictObject({
  /** Start, clock ms. */
  day: z.int(),
  /** Of the entry that says so. */
  seq: z.int().min(1),
  /** Entries so far. */
  entries: z.int().min(1),
  /** Minor units, positive. */
  total: z.int(),
  /** How many intervals it covers. */
  intervals: z.int(),
});
export type ChargedDay = z.infer<typeof ChargedDay>;

/** What is wanted of the switch, and how far that got. Each change has a rising `at`, by which its order is the newest. */
export const SupplyState = z.strictObject({
  wanted: z.enum(["on", "off"]),
  /** Rises with each order. 0: none was given yet. */
  order: z.int().min(0),
  /** When it was decided, clock ms: the time of the order. */
  at: z.int(),
  jobId: z.string().optional(),
  /** How the order ended. Absent: it has not. */
  ended: z.enum(["done", "failed"]).optional(),
  /** Why it failed, or what holds a disconnection back. */
  because: z.string().max(200).optional(),
  /** When the next one may be tried, clock ms. */
  retryAt: z.int().optional(),
});
export type SupplyState = z.infer<typeof SupplyState>;

/** An account and the end of its ledger. `recent`: what the last write added; older entries are archived. */
export const Account = z.strictObject({
  accountId: AccountId,
  meterId: MeterId,
  /** Where its meter's readings lie. */
  segment: z.int(),
  slot: z.int(),
  tariff: TariffName,
  policy: TariffName,
  currency: z.string(),
  state: z.enum(["active", "closed"]),
  /** Energy from then on is charged, and up to then; clock ms. */
  openedAt: z.int(),
  closedAt: z.int().optional(),
  version: z.int().min(1),
  /** Of the last entry; 0: there is none. */
  seq: z.int().min(0),
  balance: Amount,
  lastAt: z.int(),
  recent: z.strictObject({ entries: z.array(LedgerEntry).max(64), days: z.array(ChargedDay).max(64) }),
  /** Local date up to which standing charges are in the ledger. */
  standingTo: z.string().optional(),
  /** UTC day on which the days long past were looked at last. */
  lookedBackOn: z.int().optional(),
  /** Thresholds that have been warned of, and still hold. */
  warned: z.array(Amount).max(8),
  supply: SupplyState,
});
export type Account = z.infer<typeof Account>;

/** Accounts, their archived entries, tariffs and policies as stored. Everything read is strongly consistent. */
export interface AccountStore {
  /** If there is none of that id. */
  create(account: Account): Promise<Written>;
  read(accountId: AccountId): Promise<Account | undefined>;
  /** Conditional on `was`, the version that was read; stores `account.version`. */
  write(account: Account, was: number): Promise<Written>;
  /** The same entries again change nothing; of a charged day the one of the later entry stays. */
  archive(accountId: AccountId, recent: Account["recent"]): Promise<void>;
  /** An archived entry by its key. */
  keyed(accountId: AccountId, key: string): Promise<LedgerEntry | undefined>;
  /** Archived entries with seq < `before`, newest first. */
  entries(accountId: AccountId, before: number, limit: number): Promise<readonly LedgerEntry[]>;
  chargedDay(accountId: AccountId, day: number): Promise<ChargedDay | undefined>;
  /** Who has the meter's account: this one, if nobody had it. */
  claim(meterId: MeterId, accountId: AccountId): Promise<AccountId>;
  /** If it is this one's. */
  release(meterId: MeterId, accountId: AccountId): Promise<void>;
  /** Adds the account to its segment's; may be repeated. */
  list(account: Pick<Account, "accountId" | "segment">): Promise<void>;
  /** Segments with accounts whose number is `remainder` modulo 60. */
  segments(remainder: number): Promise<readonly number[]>;
  accountsOf(segment: number): Promise<readonly AccountId[]>;
  /** Accounts whose order has not ended; may be repeated. */
  markPending(accountId: AccountId): Promise<void>;
  clearPending(accountId: AccountId): Promise<void>;
  pending(): Promise<readonly AccountId[]>;
  putTariff(tariff: Tariff): Promise<void>;
  tariff(name: string): Promise<Tariff | undefined>;
  tariffs(): Promise<readonly Tariff[]>;
  putPolicy(policy: PrepaymentPolicy): Promise<void>;
  policy(name: string): Promise<PrepaymentPolicy | undefined>;
  policies(): Promise<readonly PrepaymentPolicy[]>;
}
