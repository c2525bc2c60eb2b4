import type { JobProgress } from "./ledger.ts";
import type { Slice } from "./slice.ts";
import { slotReason, slotState, slotsIn } from "./slots.ts";

/** Parts from here on are slices of one: part = SPLIT_PART + slot. Ways in are numbered below. */
export const SPLIT_PART = 1000;

export interface JobTally {
  readonly progress: JobProgress;
  readonly slices: number;
  readonly tasks: number;
  /** Nothing is left to do. */
  readonly closed: boolean;
}

/** Exact counts and reasons, derived from all slices of a job. `asOf`: clock ms. */
export async function tallyOf(slices: AsyncIterable<Slice>, asOf: number): Promise<JobTally> {
  const counts = { open: 0, done: 0, failed: 0, expired: 0, cancelled: 0 };
  const reasons: Record<string, number> = {};
  const note = (reason: string): void => {
    reasons[reason] = (reasons[reason] ?? 0) + 1;
  };
  const ones = new Set<string>();
  const moved: { readonly at: string; readonly reason: string }[] = [];
  const openFor = (reason: string): void => {
    counts.open++;
    if (reason !== "none") note(`open:${reason}`);
  };
  let [number, closed] = [0, true];
  for await (const slice of slices) {
    number++;
    closed &&= slice.state === "closed";
    if (slice.part >= SPLIT_PART) ones.add(`${slice.segment}#${slice.part - SPLIT_PART}`);
    if (slice.moved !== undefined)
      for (const slot of slotsIn(slice.moved, "open"))
        moved.push({ at: `${slice.segment}#${slot}`, reason: slotReason(slice.moved, slot) });
    for (let slot = 0; slot < slice.slots.length; slot++) {
      const state = slotState(slice.slots, slot);
      if (state === "untargeted") continue;
      const reason = slotReason(slice.slots, slot);
      if (state === "open") {
        openFor(reason);
        continue;
      }
      counts[state]++;
      if (state === "failed" || state === "expired") note(reason);
    }
  }
  // In the middle of a split a task may be in neither slice yet.
  for (const { at, reason } of moved) if (!ones.has(at)) openFor(reason);
  const tasks = counts.open + counts.done + counts.failed + counts.expired + counts.cancelled;
  return { progress: { asOf, ...counts, reasons }, slices: number, tasks, closed };
}
