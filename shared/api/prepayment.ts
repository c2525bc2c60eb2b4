import { z } from "zod";
import { MeterId } from "../metering/meter.ts";
import { Account, AccountId, Amount, EntryKey, LedgerEntry, SupplyState } from "../prepayment/account.ts";
import { PrepaymentPolicy } from "../prepayment/policy.ts";
import { Tariff, TariffName, TariffVersion } from "../prepayment/tariff.ts";
import { Instant } from "./instant.ts";
import { limitUpTo } from "./page.ts";

const Why = z.string().trim().min(1).max(500);
export const NamePath = z.strictObject({ name: TariffName });
export const AccountPath = z.strictObject({ accountId: AccountId });

const VersionInApi = z.strictObject({ ...TariffVersion.shape, from: Instant });
/** PUT /prepayment/tariffs/{name}: all versions, rising. What they say of the past is charged anew. */
export const TariffBody = z.strictObject({
  currency: Tariff.shape.currency,
  versions: z.array(VersionInApi).min(1).max(64),
  reason: Why,
});
export const TariffInApi = z.strictObject({
  name: z.string(),
  currency: z.string(),
  versions: z.array(VersionInApi),
});
export const TariffList = z.strictObject({ tariffs: z.array(TariffInApi) });
/** PUT /prepayment/policies/{name}. */
export const PolicyBody = z.strictObject({
  policy: z.strictObject(PrepaymentPolicy.shape).omit({ name: true }),
  reason: Why,
});
export const PolicyList = z.strictObject({ policies: z.array(PrepaymentPolicy) });

/** POST /prepayment/accounts: energy from now on is charged. The same account again changes nothing. */
export const AccountBody = z.strictObject({
  accountId: AccountId,
  meterId: MeterId,
  tariff: TariffName,
  policy: TariffName,
});
/** Balance in minor units: what all entries sum up to. */
export const AccountInApi = Account.pick({
  accountId: true,
  meterId: true,
  tariff: true,
  policy: true,
  currency: true,
  state: true,
  balance: true,
}).extend({
  openedAt: Instant,
  closedAt: Instant.optional(),
  /** Entries so far. */
  entries: z.int(),
  supply: SupplyState.extend({ at: Instant, retryAt: Instant.optional() }),
});

/** POST …/payments: once for each key of the account, whoever brings it. */
export const PaymentBody = z.strictObject({
  amount: Amount.min(1),
  idempotencyKey: EntryKey.max(128),
  reference: z.string().max(200).optional(),
});
/** POST …/adjustments: a credit (positive) or a charge with a reason. */
export const AdjustmentBody = z.strictObject({
  amount: Amount.refine((amount) => amount !== 0, "expected another amount than 0"),
  idempotencyKey: EntryKey.max(128),
  reason: Why,
});
export const EntryInApi = LedgerEntry.extend({ at: Instant });
export const Credited = z.strictObject({ entry: EntryInApi, account: AccountInApi });
/** Newest first; `before`: the number of an entry. */
export const EntryQuery = z.strictObject({
  before: z.codec(z.string().regex(/^\d{1,12}$/), z.int(), { decode: Number, encode: String }).optional(),
  limit: limitUpTo(500, 100),
});
export const EntryList = z.strictObject({ entries: z.array(EntryInApi), next: z.int().optional() });
export const CloseBody = z.strictObject({ reason: Why });
