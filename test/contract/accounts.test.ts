import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dynamoAccounts } from "../../functions/adapters/dynamo-accounts.ts";
import { handClock } from "../../shared/jobs/engine-fixture.ts";
import type { AccountStore } from "../../shared/prepayment/account.ts";
import { chargedOf, commit, credit, entriesOf } from "../../shared/prepayment/credit-ledger.ts";
import { memoryAccounts } from "../../shared/prepayment/memory-accounts.ts";
import { DAY, newAccount, openAccount, POLICY, TARIFF } from "../../shared/prepayment/prepayment-fixture.ts";
import { type EmbeddedDynamo, embeddedDynamo } from "./embedded-dynamo.ts";

let dynamo: EmbeddedDynamo;
beforeAll(async () => {
  dynamo = await embeddedDynamo();
});
afterAll(() => dynamo.close());

const stores: readonly [string, () => AccountStore][] = [
  ["in memory", memoryAccounts],
  ["in DynamoDB", () => dynamoAccounts(dynamo.db, "Accounts")],
];
describe.each(stores)("accounts %s", (_name, open) => {
  it("are created once and written under their version", async () => {
    const accounts = open();
    const account = newAccount("A-1");
    expect(await accounts.read("A-1")).toBeUndefined();
    expect([await accounts.create(account), await accounts.create(account)]).toEqual(["written", "conflict"]);
    expect(await accounts.read("A-1")).toEqual(account);
    const next = { ...account, version: 2, balance: 5 };
    expect([await accounts.write(next, 1), await accounts.write(next, 1)]).toEqual(["written", "conflict"]);
    expect((await accounts.read("A-1"))?.balance).toBe(5);
  });

  it("keep a ledger without gaps, in which two callers credit a key once", async () => {
    const accounts = open();
    const ports = { accounts, clock: handClock(DAY) };
    await openAccount(accounts, newAccount("A-2"));
    const pay = (key: string) => credit(ports, "A-2", { key: `payment/${key}`, kind: "payment", amount: 10 });
    await Promise.all(["a", "b", "a", "c", "b"].map(pay));
    await pay("a");
    const account = await accounts.read("A-2");
    if (account === undefined) throw new Error("the account is there");
    const entries = await entriesOf(ports, account, 1e9, 100);
    expect(entries.map(({ seq }) => seq)).toEqual([3, 2, 1]);
    expect(entries.map(({ key }) => key).sort()).toEqual(["payment/a", "payment/b", "payment/c"]);
    expect(account.balance).toBe(30);
    expect((await entriesOf(ports, account, 3, 1)).map(({ seq }) => seq)).toEqual([2]);
  });

  it("keep what was charged for a day, of the newest entry", async () => {
    const accounts = open();
    const ports = { accounts, clock: handClock(DAY) };
    await openAccount(accounts, newAccount("A-3"));
    for (const entries of [1, 2, 3])
      await commit(ports, "A-3", async () => ({
        entries: [{ key: `energy/2026-11-10/${entries}`, kind: "charge", amount: -1, day: "2026-11-10" }],
        days: [{ day: DAY, entries, total: entries, intervals: entries }],
      }));
    expect(await accounts.chargedDay("A-3", DAY)).toMatchObject({ seq: 2, entries: 2 });
    await accounts.archive("A-3", { entries: [], days: [{ day: DAY, seq: 1, entries: 1, total: 1, intervals: 1 }] });
    expect(await accounts.chargedDay("A-3", DAY)).toMatchObject({ seq: 2, entries: 2 });
    const account = await accounts.read("A-3");
    expect(account && (await chargedOf(ports, account, DAY))).toMatchObject({ seq: 3, total: 3 });
  });

  it("are listed by segment, claimed by one for a meter, and marked while an order has not ended", async () => {
    const accounts = open();
    await openAccount(accounts, newAccount("A-4", { segment: 64 }));
    await openAccount(accounts, newAccount("A-5", { segment: 64 }));
    expect(await accounts.segments(4)).toEqual([64]);
    expect(await accounts.accountsOf(64)).toEqual(["A-4", "A-5"]);
    const meter = newAccount("A-4").meterId;
    expect([await accounts.claim(meter, "A-4"), await accounts.claim(meter, "A-5")]).toEqual(["A-4", "A-4"]);
    await accounts.release(meter, "A-5");
    expect(await accounts.claim(meter, "A-5")).toBe("A-4");
    await accounts.release(meter, "A-4");
    expect(await accounts.claim(meter, "A-5")).toBe("A-5");
    for (const accountId of ["A-5", "A-4", "A-5"]) await accounts.markPending(accountId);
    expect(await accounts.pending()).toEqual(["A-4", "A-5"]);
    await accounts.clearPending("A-5");
    expect(await accounts.pending()).toEqual(["A-4"]);
    expect([await accounts.tariff("home"), await accounts.policy("usual")]).toEqual([TARIFF, POLICY]);
    expect(await accounts.tariff("none")).toBeUndefined();
  });
});
