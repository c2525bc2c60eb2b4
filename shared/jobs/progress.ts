import type { FailureReason } from "../metering/failure.ts";
import { isGroupSlice } from "./group-request.ts";
import type { Job } from "./job.ts";
import type { JobProgress, Ledger, PartitionTally, TaskCounts } from "./ledger.ts";
import { partitionOf } from "./partitions.ts";
import type { Slice } from "./slice.ts";
import { octetReason, octetState, slotsIn } from "./slots.ts";

/** Parts from here on are slices of one: part = SPLIT_PART + slot. Ways in are numbered below. */
export const SPLIT_PART = 1000;

export interface JobTally {
  readonly progress: JobProgress;
  readonly slices: number;
  readonly tasks: number;
  /** Nothing is left to do. */
  readonly closed: boolean;
}

/** Counts the slices of one partition; a slice and those that are split off it lie in the same. */
class PartitionCount {
  /** How many slots have each of the 256 octets. */
  readonly #octets = new Uint32Array(256);
  readonly #ones = new Set<string>();
  readonly #moved: { readonly at: string; readonly octet: number }[] = [];
  #slices = 0;
  #closed = true;

  add(slice: Slice): void {
    const { state, segment, part, slots, moved } = slice;
    this.#slices++;
    this.#closed &&= state === "closed";
    if (isGroupSlice(slice)) return; // its slots are no meters
    if (part >= SPLIT_PART) this.#ones.add(`${segment}#${part - SPLIT_PART}`);
    if (moved !== undefined)
      for (const slot of slotsIn(moved, "open"))
        this.#moved.push({ at: `${segment}#${slot}`, octet: moved[slot] as number });
    for (let slot = 0; slot < slots.length; slot++) {
      const octet = slots[slot] as number;
      this.#octets[octet] = (this.#octets[octet] as number) + 1;
    }
  }

  tally(partition: number, asOf: number): PartitionTally {
    const octets = this.#octets.slice();
    // In the middle of a split a task may be in neither slice yet.
    for (const { at, octet } of this.#moved) if (!this.#ones.has(at)) octets[octet] = (octets[octet] as number) + 1;
    return { partition, asOf, slices: this.#slices, closed: this.#closed, ...countsIn(octets) };
  }
}

const none = (): { -readonly [Name in keyof TaskCounts]: TaskCounts[Name] } => ({
  open: 0,
  done: 0,
  failed: 0,
  expired: 0,
  cancelled: 0,
  reasons: {},
});

function countsIn(octets: Uint32Array): TaskCounts {
  const reasons: Record<string, number> = {};
  const counts = { ...none(), reasons };
  const note = (reason: FailureReason | `open:${FailureReason}`, tasks: number): void => {
    reasons[reason] = (reasons[reason] ?? 0) + tasks;
  };
  for (const [octet, tasks] of octets.entries()) {
    if (tasks === 0) continue;
    const state = octetState(octet);
    if (state === "untargeted") continue;
    const reason = octetReason(octet);
    counts[state] += tasks;
    if (state === "failed" || state === "expired") note(reason, tasks);
    if (state === "open" && reason !== "none") note(`open:${reason}`, tasks);
  }
  return counts;
}

/** The sums of partitions, as old as the oldest of them. */
export function progressOf(partitions: readonly PartitionTally[], asOf: number): JobProgress {
  const reasons: Record<string, number> = {};
  const sum = { ...none(), reasons, asOf };
  for (const tally of partitions) {
    for (const state of ["open", "done", "failed", "expired", "cancelled"] as const) sum[state] += tally[state];
    for (const [reason, tasks] of Object.entries(tally.reasons)) reasons[reason] = (reasons[reason] ?? 0) + tasks;
    if (!tally.closed) sum.asOf = Math.min(sum.asOf, tally.asOf);
  }
  return sum;
}

/** Exact counts and reasons of these slices by partition, ascending. `asOf`: clock ms. */
export async function partitionTallies(slices: AsyncIterable<Slice>, asOf: number): Promise<readonly PartitionTally[]> {
  const counts = new Map<number, PartitionCount>();
  for await (const slice of slices) {
    const partition = partitionOf(slice.segment);
    const count = counts.get(partition) ?? new PartitionCount();
    counts.set(partition, count);
    count.add(slice);
  }
  return [...counts].sort(([left], [right]) => left - right).map(([partition, count]) => count.tally(partition, asOf));
}

/** Jobs of so many slices are counted whole, at once; the progress of larger ones is kept by partition. */
export const EXACT_SLICES = 64;

/** How the tasks of a job stand: counted now, or, of a large job, as the sweep did last; undefined: it is not planned yet. */
export async function jobCounts(
  ledger: Pick<Ledger, "progress" | "slicesOf">,
  { jobId, slices }: Pick<Job, "jobId" | "slices">,
  asOf: number,
  exactSlices = EXACT_SLICES,
): Promise<JobProgress | undefined> {
  if (slices === undefined) return undefined;
  if (slices > exactSlices) return ledger.progress(jobId);
  return (await tallyOf(ledger.slicesOf(jobId), asOf)).progress;
}

/** Exact counts and reasons, derived from all slices of a job. `asOf`: clock ms. */
export async function tallyOf(slices: AsyncIterable<Slice>, asOf: number): Promise<JobTally> {
  const partitions = await partitionTallies(slices, asOf);
  const counts = progressOf(partitions, asOf);
  const number = partitions.reduce((sum, tally) => sum + tally.slices, 0);
  return {
    // Final counts are as true now as when they were taken.
    progress: { ...counts, asOf, ...(number > EXACT_SLICES ? { partitions } : {}) },
    slices: number,
    tasks: counts.open + counts.done + counts.failed + counts.expired + counts.cancelled,
    closed: partitions.every(({ closed }) => closed),
  };
}
