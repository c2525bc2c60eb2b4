import type { Ledger } from "../../shared/jobs/ledger.ts";
import { memoryLedger } from "../../shared/jobs/memory-ledger.ts";
import { seeded } from "../../shared/ports/random.ts";
import { FaultPlan } from "./fault-plan.ts";
import { LedgerInvariants } from "./ledger-invariants.ts";
import { SimulatedLedger } from "./simulated-ledger.ts";
import { SimulatedProcess } from "./simulated-process.ts";
import { VirtualTime } from "./virtual-time.ts";

/** The ledger as the simulation gives it to a process, without a fault: time passes while somebody waits for it. */
export function calmLedger(now: number): Ledger {
  const time = new VirtualTime(now);
  const random = seeded("calm ledger");
  const view: LedgerInvariants = new LedgerInvariants(
    {
      now: () => time.now,
      slots: 0,
      excuses: () => Number.POSITIVE_INFINITY,
      passOverSaid: () => true,
      isStored: () => true,
      ended: () => undefined,
      clocksWrong: () => true,
    },
    { first: undefined },
  );
  const faults = new FaultPlan(1, random, view);
  faults.active = false;
  const ports = { random, faults, crash: () => undefined, trace: undefined };
  const ledger = new SimulatedLedger(memoryLedger(), ports, time, view).of(
    new SimulatedProcess(time, "sweep", "sweep"),
  );
  const until = async <T>(promise: Promise<T>): Promise<T> => {
    let settled = false;
    const end = (): void => {
      settled = true;
    };
    promise.then(end, end);
    await time.run(() => settled);
    return promise;
  };
  async function* passing<T>(source: AsyncIterable<T>): AsyncGenerator<T> {
    const iterator = source[Symbol.asyncIterator]();
    for (let entry = await until(iterator.next()); entry.done !== true; entry = await until(iterator.next()))
      yield entry.value;
  }
  const members = Object.entries(ledger).map(([name, member]) => {
    const call = member as (...given: unknown[]) => Promise<unknown> | AsyncIterable<unknown>;
    const passed = (...given: unknown[]) => {
      const answer = call(...given);
      return answer instanceof Promise ? until(answer) : passing(answer);
    };
    return [name, passed];
  });
  return Object.fromEntries(members) as Ledger;
}
