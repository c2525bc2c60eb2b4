import type { CounterMemory } from "../dlms/server/logical-device.ts";

/** What a meter keeps over a power cut. */
export interface CounterState {
  readonly lastAccepted: number | undefined;
  readonly nextOwn: number;
  /** Accepted counters as [first, last] runs, rising and apart. */
  readonly runs: readonly (readonly [number, number])[];
  readonly accepted: number;
  /** Counters that came again under a tag that verified. */
  readonly repeated: readonly number[];
  /** Verified, never seen before, but below the highest: out of order, not reused. */
  readonly lower: readonly number[];
}

export const noCounters = (nextOwn: number, lastAccepted?: number): CounterState => ({
  lastAccepted,
  nextOwn,
  runs: [],
  accepted: 0,
  repeated: [],
  lower: [],
});

/** Violations kept a meter. */
const VIOLATIONS_MAX = 256;

/**
 * A meter's memory of counters, and a witness: it knows every counter that it ever accepted, so that a client that
 * uses one twice is found out even if the meter would have refused it anyway.
 */
export class CounterWitness implements CounterMemory {
  #last: number | undefined;
  #nextOwn: number;
  #runs: [number, number][];
  #accepted: number;
  readonly #repeated: number[];
  readonly #lower: number[];
  readonly #changed: () => void;

  constructor(state: CounterState, changed: () => void = () => undefined) {
    this.#last = state.lastAccepted;
    this.#nextOwn = state.nextOwn;
    this.#runs = state.runs.map(([first, last]) => [first, last]);
    this.#accepted = state.accepted;
    this.#repeated = [...state.repeated];
    this.#lower = [...state.lower];
    this.#changed = changed;
  }

  get state(): CounterState {
    return {
      lastAccepted: this.#last,
      nextOwn: this.#nextOwn,
      runs: this.#runs.map(([first, last]) => [first, last]),
      accepted: this.#accepted,
      repeated: [...this.#repeated],
      lower: [...this.#lower],
    };
  }

  lastAccepted(): number | undefined {
    return this.#last;
  }

  accepted(counter: number): void {
    this.#accepted += 1;
    if (!this.#note(counter) && this.#repeated.length < VIOLATIONS_MAX) this.#repeated.push(counter);
    if (this.#last === undefined || counter > this.#last) this.#last = counter;
    this.#changed();
  }

  refused(counter: number): void {
    const kind = this.#note(counter) ? this.#lower : this.#repeated;
    if (kind.length < VIOLATIONS_MAX) kind.push(counter);
    this.#changed();
  }

  nextOwn(): number {
    this.#changed();
    return this.#nextOwn++;
  }

  /** Another key: what was accepted under the old one says nothing about it. The meter's own counter goes on. */
  rekeyed(): void {
    this.#last = undefined;
    this.#runs = [];
    this.#changed();
  }

  /** Adds a counter to the runs; false when it was there. Most come just above the last run. */
  #note(counter: number): boolean {
    const runs = this.#runs;
    let at = runs.length;
    while (at > 0 && runs[at - 1]![0] > counter) at--;
    const below = runs[at - 1];
    if (below !== undefined && counter <= below[1]) return false;
    const above = runs[at];
    const joinsBelow = below !== undefined && below[1] === counter - 1;
    const joinsAbove = above !== undefined && above[0] === counter + 1;
    if (joinsBelow && joinsAbove) {
      below[1] = above[1];
      runs.splice(at, 1);
    } else if (joinsBelow) below[1] = counter;
    else if (joinsAbove) above[0] = counter;
    else runs.splice(at, 0, [counter, counter]);
    return true;
  }
}
