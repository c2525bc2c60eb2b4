import { isIntended } from "../../shared/jobs/intents.ts";
import type { Slice } from "../../shared/jobs/slice.ts";
import type { LedgerInvariants } from "./ledger-invariants.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import { type Violations, violate } from "./violations.ts";

interface Place {
  readonly meterId: string;
  readonly segment: number;
  readonly slot: number;
}
const taskOf = (jobId: string, segment: number, slot: number): string => `${jobId}#${segment}#${slot}`;
/** Clocks are apart by so much at most, and an order is so long on its way, ms. */
const LATE_MS = 20_000;

/** The meters as witnesses of orders: at most one effect an order, never without its intent, never after its end. */
export class EffectInvariants {
  /** Task → effects that really happened. */
  readonly #happened = new Map<string, number>();
  readonly #ledger: LedgerInvariants;
  readonly #violations: Violations;
  readonly #now: () => number;

  constructor(ledger: LedgerInvariants, violations: Violations, now: () => number) {
    this.#ledger = ledger;
    this.#violations = violations;
    this.#now = now;
  }

  get count(): number {
    return this.#happened.size;
  }

  /** The meter does what an order of this process asks. `holder`: who holds it, by its access item. */
  happens({ meterId, segment, slot }: Place, by: SimulatedProcess, holder: string | undefined): void {
    const slice = this.#intendedBy(segment, slot, by, holder);
    if (slice === undefined) {
      violate(this.#violations, `${by.name} has ${meterId} do something, and no intent of his stands in the ledger`);
      return;
    }
    const task = taskOf(slice.jobId, segment, slot);
    const times = (this.#happened.get(task) ?? 0) + 1;
    this.#happened.set(task, times);
    if (times > 1) violate(this.#violations, `${meterId} did what one order asks ${times} times`);
    // Who stood still in the middle of it cannot know that it is late.
    const knows = by.disturbedAt + 180_000 < this.#now();
    if (knows && slice.deadline + LATE_MS < this.#now())
      violate(this.#violations, `${by.name} has ${meterId} do something after the order has expired`);
  }

  /** A task of an order has ended. */
  ended(slice: Slice, slot: number, state: string, reason: string): void {
    const times = this.#happened.get(taskOf(slice.jobId, slice.segment, slot)) ?? 0;
    const told = `${state} (${reason})`;
    // A switch may have been there already: what it was is looked at when a bridge says so.
    const mayBeThere = this.#ledger.jobs.get(slice.jobId)?.operation.kind === "operateSwitch";
    if (state === "done" && times === 0 && !mayBeThere)
      violate(this.#violations, `an order is ${told}, and the meter did nothing`);
    if (state !== "done" && reason !== "unverified" && times > 0)
      violate(this.#violations, `an order is ${told}, and the meter did it`);
  }

  /** The slice with the intent, under a lease of this process: that of the holder, where there are several. */
  #intendedBy(segment: number, slot: number, by: SimulatedProcess, holder: string | undefined): Slice | undefined {
    const intended = [...this.#ledger.slices.values()].filter(
      (slice) =>
        slice.segment === segment && isIntended(slice, slot) && slice.lease?.owner.startsWith(`${by.name}#`) === true,
    );
    return intended.find(({ lease }) => lease?.owner === holder) ?? intended[0];
  }
}
