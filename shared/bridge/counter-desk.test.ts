import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AccessItem, AccessStore, CounterLease } from "../jobs/access.ts";
import { MeterId } from "../metering/meter.ts";
import { LEASE_BLOCK } from "../security/counters.ts";
import { counterDesk, type MeterCounters } from "./counter-desk.ts";
import { type MemoryAccess, memoryAccess } from "./memory-access.ts";

const METER: AccessItem = {
  segment: 1,
  slot: 0,
  meterId: MeterId.parse("m"),
  routes: [],
  profile: { name: "generic-eu", version: 1 },
  counterOffset: 0n,
  releasedBase: 0n,
  lastOrder: 0,
  flags: { medical: false, priority: false, moratorium: false },
};

type Step = "draw" | "again" | "larger" | "refused";
interface Life {
  readonly steps: readonly Step[];
  /** It dies before this call of the store. */
  readonly dieAt: number;
}
interface History {
  readonly before: readonly Life[];
  /** Born after the restore; those before it go on against the old table, of which they know no better. */
  readonly after: readonly Life[];
  readonly copyAt: number;
  readonly restoreAt: number;
  /** Which of the waiting store calls is next. */
  readonly choices: readonly number[];
  /** How far ahead the meter says it is when it refuses, in blocks of the lease. */
  readonly aheadBlocks: number;
}

/**
 * Any number of processes draw counters for one meter: they lease, look, draw, are refused, raise the offset, die at
 * any step; the table is restored from a copy under a new epoch. Answers every counter drawn.
 */
async function drawnIn({
  before,
  after,
  copyAt,
  restoreAt,
  choices,
  aheadBlocks,
}: History): Promise<readonly number[]> {
  const used: number[] = [];
  const gates: (() => void)[] = [];
  const gate = () => new Promise<void>((resolve) => void gates.push(resolve));

  const storeOf = (table: MemoryAccess, dieAt: number): AccessStore => {
    let calls = 0;
    const gated =
      <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
      async (...args: A): Promise<R> => {
        if (calls++ >= dieAt) await new Promise<never>(() => {});
        await gate(); // late to arrive,
        const answer = await call(...args);
        await gate(); // and late to be told
        return answer;
      };
    return {
      read: gated(table.read),
      readMany: gated(table.readMany),
      leaseCounters: gated(table.leaseCounters),
      raiseOffset: gated(table.raiseOffset),
      settleOffset: gated(table.settleOffset),
      takeHold: gated(table.takeHold),
      releaseHold: gated(table.releaseHold),
      acceptOrder: gated(table.acceptOrder),
      claimCredit: gated(table.claimCredit),
      releaseCredit: gated(table.releaseCredit),
      attach: gated(table.attach),
      detach: gated(table.detach),
    };
  };
  const live = async (table: MemoryAccess, epoch: number, { steps, dieAt }: Life): Promise<void> => {
    const store = storeOf(table, dieAt);
    const desk = counterDesk(store, async () => epoch, { now: () => 0, sleep: async () => undefined }, 1);
    const lookUnder = async (lease: CounterLease) => ({ lease, item: (await store.read(METER)) ?? METER });
    let look = await lookUnder(await desk.lease());
    let had: MeterCounters | undefined;
    for (const step of steps) {
      had = await desk.countersFor(look, had);
      used.push(had.source.next(), had.source.next());
      const { last = 0 } = had.source;
      if (step === "refused") await desk.raise(had, { counter: last + aheadBlocks * LEASE_BLOCK });
      // A look as the window gives it: it may be under an older lease than the meter has drawn from.
      look = step === "draw" ? await lookUnder(look.lease) : await desk.lookAgain(had.look, step === "larger");
    }
  };

  const table = memoryAccess();
  await table.createAccessItem(METER);
  let copy: MemoryAccess | undefined;
  for (const life of before) void live(table, 1, life).catch(() => undefined);
  for (let step = 0; ; step++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (step === copyAt) copy ??= table.copy();
    if (step === restoreAt) {
      copy ??= table.copy();
      for (const life of after) void live(copy, 2, life).catch(() => undefined);
    }
    const next = choices[step % choices.length] ?? 0;
    const [open] = gates.splice(next % Math.max(1, gates.length), 1);
    if (open !== undefined) open();
    else if (step > Math.max(copyAt, restoreAt)) return used;
  }
}

describe("every interleaving of leases, raises, crashes and epochs", () => {
  const life = fc.record({
    steps: fc.array(fc.constantFrom<Step>("draw", "again", "larger", "refused"), { minLength: 1, maxLength: 4 }),
    dieAt: fc.integer({ min: 2, max: 30 }),
  });
  const history: fc.Arbitrary<History> = fc.record({
    before: fc.array(life, { minLength: 1, maxLength: 4 }),
    after: fc.array(life, { maxLength: 2 }),
    copyAt: fc.integer({ min: 0, max: 20 }),
    restoreAt: fc.integer({ min: 5, max: 60 }),
    choices: fc.array(fc.nat(7), { minLength: 4, maxLength: 60 }),
    aheadBlocks: fc.integer({ min: 1, max: 3 }),
  });

  it("gives each counter of one meter and key to one call only", async () => {
    let drawn = 0;
    await fc.assert(
      fc.asyncProperty(history, async (past) => {
        const used = await drawnIn(past);
        drawn += used.length;
        expect(new Set(used).size).toBe(used.length);
      }),
      { numRuns: 4_000 },
    );
    expect(drawn).toBeGreaterThan(30_000); // the property is about something
  });
});
