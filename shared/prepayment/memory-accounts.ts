import { Account, type AccountStore, type ChargedDay, type LedgerEntry } from "./account.ts";
import { PrepaymentPolicy } from "./policy.ts";
import { Tariff } from "./tariff.ts";

/** Accounts in memory, with the same conditions as the real ones: for simulation and for tests. */
export function memoryAccounts(): AccountStore {
  const accounts = new Map<string, Account>();
  const archive = new Map<string, Map<number, LedgerEntry>>();
  const days = new Map<string, ChargedDay>();
  const listed = new Map<number, Set<string>>();
  const claims = new Map<string, string>();
  const waiting = new Set<string>();
  const tariffs = new Map<string, Tariff>();
  const policies = new Map<string, PrepaymentPolicy>();
  const sorted = <T>(map: ReadonlyMap<string, T>): T[] =>
    [...map.entries()].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, value]) => value);
  return {
    async create(account) {
      if (accounts.has(account.accountId)) return "conflict";
      accounts.set(account.accountId, Account.parse(account));
      return "written";
    },
    async read(accountId) {
      return accounts.get(accountId);
    },
    async write(account, was) {
      if (accounts.get(account.accountId)?.version !== was) return "conflict";
      accounts.set(account.accountId, Account.parse(account));
      return "written";
    },
    async archive(accountId, recent) {
      const entries = archive.get(accountId) ?? new Map<number, LedgerEntry>();
      archive.set(accountId, entries);
      for (const entry of recent.entries) entries.set(entry.seq, entry);
      for (const day of recent.days) {
        const key = `${accountId}#${day.day}`;
        if ((days.get(key)?.seq ?? 0) < day.seq) days.set(key, day);
      }
    },
    async keyed(accountId, key) {
      return [...(archive.get(accountId)?.values() ?? [])].find((entry) => entry.key === key);
    },
    async entries(accountId, before, limit) {
      return [...(archive.get(accountId)?.values() ?? [])]
        .filter(({ seq }) => seq < before)
        .sort((left, right) => right.seq - left.seq)
        .slice(0, limit);
    },
    async chargedDay(accountId, day) {
      return days.get(`${accountId}#${day}`);
    },
    async claim(meterId, accountId) {
      const holder = claims.get(meterId) ?? accountId;
      claims.set(meterId, holder);
      return holder;
    },
    async release(meterId, accountId) {
      if (claims.get(meterId) === accountId) claims.delete(meterId);
    },
    async list({ accountId, segment }) {
      listed.set(segment, (listed.get(segment) ?? new Set()).add(accountId));
    },
    async segments(remainder) {
      return [...listed.keys()].filter((segment) => segment % 60 === remainder).sort((left, right) => left - right);
    },
    async accountsOf(segment) {
      return [...(listed.get(segment) ?? [])].sort();
    },
    async markPending(accountId) {
      waiting.add(accountId);
    },
    async clearPending(accountId) {
      waiting.delete(accountId);
    },
    async pending() {
      return [...waiting].sort();
    },
    async putTariff(tariff) {
      tariffs.set(tariff.name, Tariff.parse(tariff));
    },
    async tariff(name) {
      return tariffs.get(name);
    },
    async tariffs() {
      return sorted(tariffs);
    },
    async putPolicy(policy) {
      policies.set(policy.name, PrepaymentPolicy.parse(policy));
    },
    async policy(name) {
      return policies.get(name);
    },
    async policies() {
      return sorted(policies);
    },
  };
}
