import type { Caller } from "../../shared/jobs/job.ts";
import type { Account, LedgerEntry } from "../../shared/prepayment/account.ts";
import { commit, credit, entriesOf, type NewEntry } from "../../shared/prepayment/credit-ledger.ts";
import { PrepaymentPolicy } from "../../shared/prepayment/policy.ts";
import { settleAccount } from "../../shared/prepayment/run-prepayment.ts";
import { actOn } from "../../shared/prepayment/supply.ts";
import { Tariff } from "../../shared/prepayment/tariff.ts";
import { auditOfEnvironment } from "../adapters/audit-ports.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoRegistry } from "../adapters/dynamo-registry.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";
import { prepaymentPorts } from "../adapters/prepayment-ports.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { systemClock } from "../adapters/system-clock.ts";

const env = settings({ REGISTRY_TABLE: Setting });
const registry = dynamoRegistry(documentClient(), env.REGISTRY_TABLE);
const ports = prepaymentPorts();
const { accounts, clock } = ports;
const audit = auditOfEnvironment();

const byOf = ({ id, name }: Caller) => ({ id, ...(name === undefined ? {} : { name }) });
/** Written before what it tells of. */
const note = (caller: Caller, action: string, about: Readonly<Record<string, string>>, rest: object = {}) =>
  audit.append({ at: systemClock.now(), by: byOf(caller), action, detail: about, ...rest });

const unknown = (accountId: string) =>
  refuse("not-found", "There is no such account.", {
    field: "accountId",
    expected: "the id of an account",
    received: accountId,
  });
const invalid = (field: string, expected: string) =>
  refuse("unprocessable", "It cannot be set so.", { field, expected });

const shown = (account: Account) => {
  const { accountId, meterId, tariff, policy, currency, state, balance, openedAt, closedAt, seq, supply } = account;
  return {
    accountId,
    meterId,
    tariff,
    policy,
    currency,
    state,
    balance,
    openedAt,
    ...(closedAt === undefined ? {} : { closedAt }),
    entries: seq,
    supply,
  };
};

/** Credits, then acts on the balance: who has paid is not kept waiting. */
async function credited(accountId: string, entry: NewEntry & { readonly kind: "payment" | "adjustment" }) {
  const paid = await credit(ports, accountId, entry);
  switch (paid.kind) {
    case "unknown":
      return unknown(accountId);
    case "closed":
      return refuse("conflict", "The account is closed.", {
        field: "accountId",
        expected: "an account that is active",
      });
    case "conflict":
      return refuse("conflict", "The key was used for another amount.", {
        field: "idempotencyKey",
        expected: "a key that was not used for another amount",
      });
    case "paid": {
      const account = (await actOn(ports, accountId)) ?? paid.account;
      return { status: 200 as const, body: { entry: paid.entry as LedgerEntry, account: shown(account) } };
    }
  }
}

export const handler = httpHandler({
  listTariffs: async () => ({ status: 200, body: { tariffs: [...(await accounts.tariffs())] } }),
  async putTariff({ params: { name }, body: { reason, currency, versions }, caller }) {
    const tariff = Tariff.safeParse({ name, currency, versions });
    if (!tariff.success) return invalid("versions", tariff.error.issues[0]?.message ?? "a tariff");
    const was = await accounts.tariff(name);
    if (was !== undefined && was.currency !== currency)
      return invalid("currency", "the currency that its accounts have");
    await note(caller, "prepayment.tariff-set", { tariff: name, versions: String(versions.length) }, { reason });
    await accounts.putTariff(tariff.data);
    return { status: 200, body: tariff.data };
  },
  listPrepaymentPolicies: async () => ({ status: 200, body: { policies: [...(await accounts.policies())] } }),
  async putPrepaymentPolicy({ params: { name }, body: { policy: asked, reason }, caller }) {
    const policy = PrepaymentPolicy.safeParse({ ...asked, name });
    if (!policy.success) return invalid("policy", policy.error.issues[0]?.message ?? "a policy");
    await note(caller, "prepayment.policy-set", { policy: name, automatic: String(asked.automatic) }, { reason });
    await accounts.putPolicy(policy.data);
    return { status: 200, body: policy.data };
  },
  async openAccount({ body: { accountId, meterId, tariff, policy }, caller }) {
    const meter = (await registry.meters([meterId])).get(meterId);
    if (meter === undefined || meter.state !== "enrolled")
      return refuse("not-found", "No such meter is enrolled.", {
        field: "meterId",
        expected: "the id of an enrolled meter",
        received: meterId,
      });
    const [prices, rules] = await Promise.all([accounts.tariff(tariff), accounts.policy(policy)]);
    if (prices === undefined) return invalid("tariff", "the name of a tariff");
    if (rules === undefined) return invalid("policy", "the name of a policy");
    const holder = await accounts.claim(meterId, accountId);
    const there = await accounts.read(accountId);
    if (holder !== accountId || (there !== undefined && there.meterId !== meterId))
      return refuse("conflict", "The meter or the account is taken.", {
        field: holder === accountId ? "accountId" : "meterId",
        expected: "a meter without an account, and an account without a meter",
      });
    if (there !== undefined) {
      await accounts.list(there);
      return { status: 200, body: shown(there) };
    }
    await note(caller, "prepayment.account-opened", { account: accountId, tariff, policy }, { meterId });
    const now = clock.now();
    const account: Account = {
      accountId,
      meterId,
      ...meter.place,
      tariff,
      policy,
      currency: prices.currency,
      state: "active",
      openedAt: now,
      version: 1,
      seq: 0,
      balance: 0,
      lastAt: now,
      recent: { entries: [], days: [] },
      warned: [],
      supply: { wanted: "on", order: 0, at: systemClock.now(), ended: "done" },
    };
    await accounts.create(account);
    await accounts.list(account);
    return { status: 201, body: shown((await accounts.read(accountId)) ?? account) };
  },
  async readAccount({ params: { accountId } }) {
    const account = await accounts.read(accountId);
    return account === undefined ? unknown(accountId) : { status: 200, body: shown(account) };
  },
  async listEntries({ params: { accountId }, query: { before = Number.MAX_SAFE_INTEGER, limit } }) {
    const account = await accounts.read(accountId);
    if (account === undefined) return unknown(accountId);
    const entries = [...(await entriesOf(ports, account, before, limit))];
    const last = entries.at(-1)?.seq ?? 1;
    return { status: 200, body: { entries, ...(last > 1 ? { next: last } : {}) } };
  },
  async pay({ params: { accountId }, body: { amount, idempotencyKey, reference }, caller }) {
    await note(caller, "prepayment.payment", { account: accountId, amount: String(amount), key: idempotencyKey });
    return credited(accountId, {
      key: `payment/${idempotencyKey}`,
      kind: "payment",
      amount,
      by: byOf(caller),
      ...(reference === undefined ? {} : { reference }),
    });
  },
  async adjustAccount({ params: { accountId }, body: { amount, idempotencyKey, reason }, caller }) {
    const about = { account: accountId, amount: String(amount), key: idempotencyKey };
    await note(caller, "prepayment.adjustment", about, { reason });
    return credited(accountId, {
      key: `adjustment/${idempotencyKey}`,
      kind: "adjustment",
      amount,
      by: byOf(caller),
      reason,
    });
  },
  async settleAccount({ params: { accountId } }) {
    const account = await settleAccount(ports, accountId, true);
    return account === undefined ? unknown(accountId) : { status: 200, body: shown(account) };
  },
  async closeAccount({ params: { accountId }, body: { reason }, caller }) {
    const account = await accounts.read(accountId);
    if (account === undefined) return unknown(accountId);
    await note(caller, "prepayment.account-closed", { account: accountId }, { reason, meterId: account.meterId });
    await commit(ports, accountId, async ({ state }) =>
      state === "closed" ? undefined : { state: { state: "closed", closedAt: clock.now() } },
    );
    await accounts.release(account.meterId, accountId);
    return { status: 200, body: shown((await accounts.read(accountId)) ?? account) };
  },
});
