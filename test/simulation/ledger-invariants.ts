import { isGroupSlice } from "../../shared/jobs/group-request.ts";
import type { Job, JobId } from "../../shared/jobs/job.ts";
import { SPLIT_PART } from "../../shared/jobs/progress.ts";
import type { Slice, SliceKey, SliceState } from "../../shared/jobs/slice.ts";
import { type Slots, slotReason, slotState } from "../../shared/jobs/slots.ts";
import type { SliceStates } from "./fault-plan.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import { type Violations, violate } from "./violations.ts";

export const nameOf = ({ jobId, segment, part }: SliceKey): string => `${jobId.slice(0, 4)}#${segment}.${part}`;
const keyOf = ({ jobId, segment, part }: SliceKey): string => `${jobId}#${segment}.${part}`;
/** Clocks of processes differ by so much at most, ms. */
const SKEW_MS = 10_000;
const UNTARGETED = 0;
const OPEN = 1;
const stateOf = (octet: number): number => octet >> 5;

export interface LedgerView {
  readonly now: () => number;
  /** Slots that the simulation has meters in. */
  readonly slots: number;
  /** Faults so far that excuse an end without order. */
  readonly excuses: (key: SliceKey) => number;
  /** Whether the holder has said that its pass is over. */
  readonly passOverSaid: (key: SliceKey, pass: { readonly generation: number; readonly bridge: string }) => boolean;
  /** Whether a reading that this task brought lies in the blocks. */
  readonly isStored: (key: SliceKey, slot: number) => boolean;
  /** A task has its outcome. */
  readonly ended: (slice: Slice, slot: number, state: string, reason: string) => void;
  /** Clocks were put by minutes: whose lease is live is a matter of opinion. */
  readonly clocksWrong: () => boolean;
}

/** Sees every write of the ledger, in the order in which the table took them. */
export class LedgerInvariants implements SliceStates {
  readonly slices = new Map<string, Slice>();
  readonly jobs = new Map<JobId, Job>();
  /** When a job was stopped (cancelled, paused) or goes on, true time. */
  readonly stoppedAt = new Map<JobId, number>();
  readonly #finals = new Map<string, number>();
  readonly #view: LedgerView;
  readonly #violations: Violations;

  constructor(view: LedgerView, violations: Violations) {
    this.#view = view;
    this.#violations = violations;
  }

  stateOf(key: SliceKey): SliceState | undefined {
    return this.slices.get(keyOf(key))?.state;
  }
  *all(): Iterable<SliceState> {
    for (const { state } of this.slices.values()) yield state;
  }
  *slicesOf(jobId: JobId): Iterable<Slice> {
    for (const slice of this.slices.values()) if (slice.jobId === jobId) yield slice;
  }

  created(slice: Slice): void {
    this.slices.set(keyOf(slice), slice);
    if (isGroupSlice(slice)) return; // its slots are no tasks
    this.#task(slice, undefined);
    for (let slot = 0; slot < this.#view.slots; slot++)
      if (stateOf(slice.slots[slot] ?? 0) !== UNTARGETED) {
        const holders = [...this.slicesOf(slice.jobId)].filter(
          (other) =>
            !isGroupSlice(other) && other.segment === slice.segment && stateOf(other.slots[slot] ?? 0) !== UNTARGETED,
        );
        if (holders.length !== 1) this.#broken(`task ${slot} of ${nameOf(slice)} is in ${holders.length} slices`);
      }
  }

  wrote(next: Slice, by: SimulatedProcess): void {
    const was = this.slices.get(keyOf(next));
    this.slices.set(keyOf(next), next);
    if (was === undefined) {
      this.#broken(`${nameOf(next)} was written before it was created`);
      return;
    }
    if (next.version !== was.version + 1)
      this.#broken(`${nameOf(next)} went from version ${was.version} to ${next.version}`);
    if (next.generation < was.generation) this.#broken(`the generation of ${nameOf(next)} went back`);
    if (was.state === "closed") this.#broken(`${nameOf(next)} was closed and is written again`);
    const excuses = this.#view.excuses(next);
    if (next.uncleanEnds > was.uncleanEnds && next.uncleanEnds > excuses)
      this.#broken(`${nameOf(next)} has ${next.uncleanEnds} unclean ends after ${excuses} faults that explain one`);
    this.#lease(was, next, by);
    this.#task(next, was);
    if (was.moved !== undefined && next.moved === undefined) this.#splitOff(next, was.moved);
  }

  /** A live lease ends by its holder's own word, or when nothing is left to do. */
  #lease(was: Slice, next: Slice, by: SimulatedProcess): void {
    if (was.state !== "working" || was.lease === undefined || this.#view.clocksWrong()) return;
    if (was.lease.until <= this.#view.now() + SKEW_MS) return;
    const { owner } = was.lease;
    if (next.state === "working") {
      if (next.lease?.owner !== owner)
        this.#broken(`${by.name} took the live lease of ${owner} on ${nameOf(next)} for ${next.lease?.owner}`);
      return;
    }
    const nothingLeft = next.state === "closed";
    if (nothingLeft || owner === "split" || owner.startsWith(`${by.name}#`)) return;
    const bridge = owner.slice(0, owner.lastIndexOf("#"));
    if (!this.#view.passOverSaid(was, { generation: was.generation, bridge }))
      this.#broken(`${by.name} ended the lease of ${owner} on ${nameOf(next)}, who is still at work`);
  }

  /** Every task is somewhere, its first outcome wins, and `done` has its reading stored. */
  #task(next: Slice, was: Slice | undefined): void {
    if (isGroupSlice(next)) {
      if (next.moved !== undefined) this.#broken(`fan-out points moved out of ${nameOf(next)}`);
      return;
    }
    for (let slot = 0; slot < this.#view.slots; slot++) {
      const [before, after] = [was?.slots[slot] ?? 0, next.slots[slot] ?? 0];
      if (was !== undefined && before === after) continue;
      const task = `${next.jobId}#${next.segment}#${slot}`;
      const final = this.#finals.get(task);
      if (final !== undefined && stateOf(after) !== UNTARGETED && after !== final)
        this.#broken(`task ${slot} of ${nameOf(next)} was ${told(final)}, is ${told(after)}`);
      if (was !== undefined && stateOf(before) === UNTARGETED)
        this.#broken(`task ${slot} came into ${nameOf(next)} from nowhere`);
      if (stateOf(after) === UNTARGETED && stateOf(before) !== UNTARGETED) {
        if (stateOf(before) !== OPEN || stateOf(next.moved?.[slot] ?? 0) !== OPEN)
          this.#broken(`task ${slot} is lost from ${nameOf(next)}`);
      }
      if (stateOf(after) <= OPEN) continue;
      this.#finals.set(task, after);
      this.#view.ended(next, slot, slotState(next.slots, slot), slotReason(next.slots, slot));
      if (told(after).startsWith("done") && !this.#view.isStored(next, slot))
        this.#broken(`task ${slot} of ${nameOf(next)} is done, and its reading is not stored`);
    }
  }

  #splitOff(parent: Slice, moved: Slots): void {
    for (let slot = 0; slot < this.#view.slots; slot++)
      if (stateOf(moved[slot] ?? 0) === OPEN && !this.slices.has(keyOf({ ...parent, part: SPLIT_PART + slot })))
        this.#broken(`task ${slot} moved out of ${nameOf(parent)} and is nowhere`);
  }

  movedJob(job: Job): void {
    const was = this.jobs.get(job.jobId);
    this.jobs.set(job.jobId, job);
    const stopped = job.state === "paused" || job.state === "cancelling" || job.state === "closed";
    if (!stopped) this.stoppedAt.delete(job.jobId);
    else if (!this.stoppedAt.has(job.jobId)) this.stoppedAt.set(job.jobId, this.#view.now());
    if (was?.state === "closed") this.#broken(`job ${job.jobId.slice(0, 4)} was closed and is ${job.state}`);
    if (job.state === "closed") this.#closed(job);
  }

  #closed(job: Job): void {
    let ended = 0;
    for (const slice of this.slicesOf(job.jobId)) {
      if (slice.state !== "closed") this.#broken(`job ${job.jobId.slice(0, 4)} is closed, ${nameOf(slice)} is not`);
      for (let slot = 0; slot < this.#view.slots; slot++) {
        if (stateOf(slice.slots[slot] ?? 0) === OPEN) this.#broken(`a closed job has an open task in ${nameOf(slice)}`);
        if (stateOf(slice.slots[slot] ?? 0) > OPEN && !isGroupSlice(slice)) ended++;
      }
    }
    if (job.tasks !== undefined && ended !== job.tasks)
      this.#broken(`job ${job.jobId.slice(0, 4)} has ${job.tasks} tasks, and ${ended} of them ended`);
  }

  #broken(what: string): void {
    violate(this.#violations, what);
  }
}

const told = (octet: number): string => {
  const slots = Uint8Array.of(octet);
  return `${slotState(slots, 0)} (${slotReason(slots, 0)})`;
};
