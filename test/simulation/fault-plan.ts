import type { SliceKey, SliceState } from "../../shared/jobs/slice.ts";
import { below, chance, fraction, type Random } from "../../shared/ports/random.ts";
import { EXCUSING, FAULT_NAMES, type FaultKind } from "./fault-kinds.ts";

/** Faults of single calls and messages: how likely at most, each time there is an occasion. */
const MOST: Readonly<Partial<Record<FaultKind, number>>> = {
  delayed: 0.15,
  duplicated: 0.2,
  reordered: 0.5,
  "delivery-lost": 0.15,
  "partial-batch": 0.3,
  conflict: 0.08,
  "answer-lost": 0.03,
  throttled: 0.04,
  slow: 0.04,
  "stale-read": 0.5,
  "crash-planner": 0.08,
  "crash-bridge": 0.03,
  "crash-ingest": 0.05,
  "crash-sweep": 0.02,
  unreachable: 0.3,
  silent: 0.2,
  reboots: 0.3,
  freeze: 0.02,
  lies: 0.15,
  "high-counter": 0.5,
};
const INTENSITIES = [0.15, 0.4, 1] as const;
/** Of so many seeds one has no fault that excuses anything: the bounds hold to the letter there. */
const CALM_EVERY = 5;

const NEW_FACTOR = 6;

/** What is known of slices when a fault strikes. */
export interface SliceStates {
  stateOf(key: SliceKey): SliceState | undefined;
  all(): Iterable<SliceState>;
}

/** Which faults one seed has, how often; counts them, and in which states of slices they struck. */
export class FaultPlan {
  readonly counts: Partial<Record<FaultKind, number>> = {};
  readonly visited = new Set<string>();
  readonly enabled: ReadonlySet<FaultKind>;
  /** False: faults have stopped. */
  active = true;
  readonly #random: Random;
  readonly #share = new Map<FaultKind, number>();
  readonly #states: SliceStates;
  #everywhere = 0;
  readonly #onSlice = new Map<string, number>();

  constructor(seed: number, random: Random, states: SliceStates) {
    this.#random = random;
    this.#states = states;
    const calm = seed % CALM_EVERY === 0;
    const most = [0.2, 0.5, 0.8][below(random, 3)] ?? 0.5;
    const enabled = FAULT_NAMES.filter((kind) => chance(random, most) && !(calm && EXCUSING.has(kind)));
    // A backlog without anything that excuses it: it must not feed itself.
    if (calm && !enabled.includes("outage") && chance(random, 0.5)) enabled.push("outage");
    this.enabled = new Set(enabled);
    for (const kind of enabled) {
      const intensity = INTENSITIES[below(random, INTENSITIES.length)] ?? 1;
      this.#share.set(kind, (MOST[kind] ?? 0) * intensity);
    }
  }

  has(kind: FaultKind): boolean {
    return this.active && this.enabled.has(kind);
  }

  /**
   * Whether this occasion brings the fault; the caller then does it and notes it. A fault that has not met a slice in this
   * state yet is likelier: seldom states are worth it.
   */
  strikes(kind: FaultKind, about?: SliceKey): boolean {
    if (!this.active) return false;
    const share = this.#share.get(kind);
    if (share === undefined) return false;
    const state = about && this.#states.stateOf(about);
    const isNew = state === "resting" && !this.visited.has(`${state}×${kind}`);
    return fraction(this.#random) < (isNew ? share * NEW_FACTOR : share);
  }

  /** A fault has been done to one slice, or (`all`) to whatever there is; undefined: to none that can be told. */
  note(kind: FaultKind, about: SliceKey | "all" | undefined, excuses = EXCUSING.has(kind)): void {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    // Whoever ends or stands still leaves everything that he works on.
    const everywhere = about === "all" || about === undefined || kind.startsWith("crash-") || kind === "freeze";
    if (excuses && everywhere) this.#everywhere++;
    if (about === undefined) return;
    if (about === "all") {
      for (const state of this.#states.all()) this.visited.add(`${state}×${kind}`);
      return;
    }
    const state = this.#states.stateOf(about);
    if (state !== undefined) this.visited.add(`${state}×${kind}`);
    if (excuses && !everywhere) {
      // A slice of one answers for its parent, which it was split from.
      const key = `${about.jobId}#${about.segment}`;
      this.#onSlice.set(key, (this.#onSlice.get(key) ?? 0) + 1);
    }
  }

  /** Faults so far that may have left this slice without a good end or a message too many. */
  excuses({ jobId, segment }: SliceKey): number {
    return this.#everywhere + (this.#onSlice.get(`${jobId}#${segment}`) ?? 0);
  }
}
