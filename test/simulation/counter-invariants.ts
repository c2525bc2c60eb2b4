import type { CounterLease } from "../../shared/jobs/access.ts";
import { type Violations, violate } from "./violations.ts";

/** Nonces never repeat; leases of a segment never overlap; who holds a meter has its highest counters. */
export class CounterInvariants {
  readonly #used = new Map<string, Set<number>>();
  readonly #marks = new Map<number, bigint>();
  readonly #holds = new Map<string, { readonly owner: string; readonly from: number; readonly until: number }>();
  readonly #violations: Violations;
  readonly #now: () => number;

  constructor(violations: Violations, now: () => number) {
    this.#violations = violations;
    this.#now = now;
  }

  leased({ segment, base, size }: CounterLease, by: string): void {
    const mark = this.#marks.get(segment) ?? 0n;
    if (base < mark)
      violate(this.#violations, `${by} leased ${base} in segment ${segment}, ${mark} were leased before`);
    this.#marks.set(segment, base + BigInt(size));
  }

  /** The meter saw a frame under this counter, whether it takes it or not. Whose clock is wrong misjudges holds. */
  used(meterId: string, counter: number, by: string, clockWrong = false): void {
    const used = this.#used.get(meterId) ?? new Set();
    this.#used.set(meterId, used);
    if (used.has(counter)) violate(this.#violations, `${meterId} saw counter ${counter} again, from ${by}`);
    used.add(counter);
    const hold = this.#holds.get(meterId);
    if (hold !== undefined && !clockWrong && hold.owner !== by && counter >= hold.from && this.#now() < hold.until)
      violate(
        this.#violations,
        `${by} speaks to ${meterId} under ${counter} while ${hold.owner} holds it from ${hold.from}`,
      );
  }

  repeated(meterId: string, counters: readonly number[]): void {
    if (counters.length > 0) violate(this.#violations, `${meterId} saw counters ${counters.join(", ")} again`);
  }

  /** `from`: the holder's first counter; `until`: true time. */
  held(meterId: string, owner: string, from: number, until: number): void {
    this.#holds.set(meterId, { owner, from, until });
  }
  released(meterId: string): void {
    this.#holds.delete(meterId);
  }

  releasedAll(): void {
    this.#holds.clear();
  }

  raisedOffset(meterId: string, was: bigint, now: bigint): void {
    if (now <= was) violate(this.#violations, `the offset of ${meterId} went from ${was} to ${now}`);
  }
}
