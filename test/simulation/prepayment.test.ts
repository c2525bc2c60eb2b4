import { describe, expect, it } from "vitest";
import { handClock } from "../../shared/jobs/engine-fixture.ts";
import type { JobRequest } from "../../shared/jobs/submit-job.ts";
import { seeded } from "../../shared/ports/random.ts";
import type { AccountStore, LedgerEntry } from "../../shared/prepayment/account.ts";
import { dueOf } from "../../shared/prepayment/charge-day.ts";
import { credit, entriesOf } from "../../shared/prepayment/credit-ledger.ts";
import { memoryAccounts } from "../../shared/prepayment/memory-accounts.ts";
import {
  DAY,
  dialsOf,
  newAccount,
  openAccount,
  steady,
  store,
  TARIFF,
} from "../../shared/prepayment/prepayment-fixture.ts";
import { type PrepaymentPorts, settleAccount } from "../../shared/prepayment/run-prepayment.ts";
import { actOn } from "../../shared/prepayment/supply.ts";
import { DAY_MS } from "../../shared/readings/day-block.ts";
import { decodeDayBlock } from "../../shared/readings/day-block-codec.ts";
import { memoryDayBlocks } from "../../shared/readings/memory-day-blocks.ts";

/** Three hundred pass as well; these take seconds. */
const SEEDS = 60;
const ACCOUNT = "A-1";

/** What stops a caller where it stands. */
class Crash extends Error {}

/** The headend's credit over a store that breaks off before and after any write, among callers that overtake each other. */
function town(seed: number) {
  const random = seeded(`prepayment ${seed}`);
  const chance = (of: number) => (random.octets(1)[0] ?? 0) < of * 256;
  const clock = handClock(DAY + DAY_MS / 2);
  const inner = memoryAccounts();
  let faults = true;
  const pause = async () => {
    for (let turns = (random.octets(1)[0] ?? 0) % 4; turns > 0; turns--) await Promise.resolve();
  };
  const accounts = new Proxy(inner, {
    get(target, name: keyof AccountStore) {
      const call = target[name] as (...args: unknown[]) => Promise<unknown>;
      return async (...args: unknown[]) => {
        await pause();
        if (faults && chance(0.02)) throw new Crash("before");
        const answer = await call.apply(target, args);
        if (faults && chance(0.02)) throw new Crash("after");
        await pause();
        return answer;
      };
    },
  });
  /** Orders as the engine has them: the newest by its time is carried out, each key once. */
  const orders = new Map<string, { readonly at: number; readonly to: string }>();
  const blocks = memoryDayBlocks();
  const ports: PrepaymentPorts = {
    accounts,
    clock,
    orderClock: clock,
    blocks,
    submit: async (_caller, { operation, idempotencyKey = "" }: JobRequest, at) => {
      await pause();
      if (faults && chance(0.1)) throw new Crash("before");
      if (operation.kind === "operateSwitch" && !orders.has(idempotencyKey))
        orders.set(idempotencyKey, { at, to: operation.to });
      if (faults && chance(0.1)) throw new Crash("after");
      return { kind: "accepted", jobId: "a".repeat(26) as never, state: "running" };
    },
    orderEnd: async () => "done",
    access: async () => ({ meterId: "M-1", flags: { medical: false, priority: false, moratorium: false } }) as never,
    authority: async () => ({ stops: [], moratoria: [] }),
    timeline: { add: async () => [] },
  };
  /** Repeats what breaks off, as queues and clients do. */
  const again = async (work: () => Promise<unknown>): Promise<void> => {
    for (let tries = 0; tries < 40; tries++)
      try {
        await work();
        return;
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
      }
  };
  const calm = async () => {
    faults = false;
    await settleAccount(ports, ACCOUNT, true);
    await actOn(ports, ACCOUNT);
  };
  return { random, clock, inner, blocks, ports, orders, again, calm };
}

describe("credit at the headend", () => {
  it(`is given once and charged exactly in ${SEEDS} seeds with crashes between any two writes`, async () => {
    let corrections = 0;
    let switched = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { random, clock, inner, blocks, ports, orders, again, calm } = town(seed);
      await openAccount(inner, newAccount(ACCOUNT));
      await store(blocks, dialsOf(DAY - DAY_MS, new Map([[95, 1_000n]])));
      const payments = new Map<string, number>();
      for (let round = 0; round < 6; round++) {
        const octet = random.octets(1)[0] ?? 0;
        await store(blocks, steady(DAY, 1_000n, BigInt(50 + (octet % 3) * 50), 0, 20 + round * 10));
        const key = `p-${octet % 5}`;
        const amount = payments.get(key) ?? 40 + (octet % 7) * 30;
        payments.set(key, amount);
        const pay = () => credit(ports, ACCOUNT, { key: `payment/${key}`, kind: "payment", amount });
        // Two callers bring the same payment, while two ticks charge.
        await Promise.all([
          again(pay),
          again(pay),
          again(() => settleAccount(ports, ACCOUNT)),
          again(() => settleAccount(ports, ACCOUNT)),
          again(() => actOn(ports, ACCOUNT)),
        ]);
        clock.pass(3_600_000);
      }
      await calm();
      const account = await inner.read(ACCOUNT);
      if (account === undefined) throw new Error("the account is there");
      const entries: readonly LedgerEntry[] = (await entriesOf(ports, account, 1e9, 1_000)).toReversed();
      // Without gaps, each key once, every balance the sum so far.
      expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, index) => index + 1));
      expect(new Set(entries.map(({ key }) => key)).size).toBe(entries.length);
      let sum = 0;
      for (const { amount, balance } of entries) {
        sum += amount;
        expect(balance).toBe(sum);
      }
      expect(account.balance).toBe(sum);
      // Each payment once; the day costs what its readings cost.
      const paid = entries.filter(({ kind }) => kind === "payment");
      expect(paid.map(({ key, amount }) => [key, amount]).sort()).toEqual(
        [...payments].map(([key, amount]) => [`payment/${key}`, amount]).sort(),
      );
      const read = (await blocks.ofMeter(account, DAY - DAY_MS, DAY)).map(({ key, octets }) =>
        decodeDayBlock(key.day, octets),
      );
      const due = dueOf(TARIFF, DAY, read, { from: account.openedAt, to: Number.POSITIVE_INFINITY });
      const energy = entries.filter(({ key }) => key.startsWith("energy/2026-11-10/"));
      expect(-energy.reduce((total, { amount }) => total + amount, 0)).toBe(due?.total);
      corrections += energy.filter(({ kind }) => kind === "correction").length;
      // The newest order is the one that is wanted, whatever order they were given in.
      const newest = [...orders.values()].sort((left, right) => right.at - left.at)[0];
      expect(newest?.to ?? "closed").toBe(account.supply.wanted === "on" ? "closed" : "open");
      expect(new Set([...orders.values()].map(({ at }) => at)).size).toBe(orders.size);
      if (account.supply.wanted === "off") expect(account.balance).toBeLessThan(100);
      else expect(account.balance).toBeGreaterThan(0);
      switched += orders.size;
    }
    expect(corrections).toBeGreaterThan(SEEDS / 4);
    expect(switched).toBeGreaterThan(SEEDS / 2);
  });
});
