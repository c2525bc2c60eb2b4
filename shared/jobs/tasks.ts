import type { FailureReason } from "../metering/failure.ts";
import type { Place } from "../metering/meter.ts";
import { isGroupSlice } from "./group-request.ts";
import type { Job } from "./job.ts";
import type { Ledger, PartitionTally } from "./ledger.ts";
import { partitionsIn } from "./partitions.ts";
import { EXACT_SLICES } from "./progress.ts";
import { type SlotState, slotReason, slotState } from "./slots.ts";

/** How one task of a job stands. */
export interface TaskEntry extends Place {
  readonly state: Exclude<SlotState, "untargeted">;
  readonly reason: FailureReason;
}

export interface TaskPage {
  readonly tasks: readonly TaskEntry[];
  /** Where the next page begins. */
  readonly cursor?: string;
}

/** Most slices that one page reads: where few tasks match, a page may end before it is full, or before it has any. */
export const PAGE_SLICES = 512;

/**
 * A page of a job's tasks, by partition, segment, part and slot. `cursor`: of the page before; undefined when it is none
 * of ours. What lies before the cursor is not read again, nor partitions whose final counts have no such task.
 */
export async function tasksOf(
  ledger: Pick<Ledger, "slicesOf" | "progress">,
  { jobId, partitions, slices = 0 }: Pick<Job, "jobId" | "partitions" | "slices">,
  page: {
    readonly state?: TaskEntry["state"] | undefined;
    readonly limit: number;
    readonly cursor?: string | undefined;
  },
): Promise<TaskPage | undefined> {
  const from = page.cursor === undefined ? undefined : cursorOf(page.cursor);
  if (from === null) return undefined;
  const tallies = slices > EXACT_SLICES ? ((await ledger.progress(jobId))?.partitions ?? []) : [];
  const without = new Set(tallies.filter((tally) => hasNone(tally, page.state)).map(({ partition }) => partition));
  const range = {
    partitions: partitionsIn(partitions).filter((partition) => !without.has(partition)),
    ...(from === undefined ? {} : { from }),
  };
  const tasks: TaskEntry[] = [];
  let read = 0;
  for await (const slice of ledger.slicesOf(jobId, range)) {
    if (++read > PAGE_SLICES) return { tasks, cursor: `${slice.segment}.${slice.part}.0` };
    if (isGroupSlice(slice)) continue;
    const isFrom = slice.segment === from?.segment && slice.part === from.part;
    for (let slot = isFrom ? from.slot : 0; slot < slice.slots.length; slot++) {
      const state = slotState(slice.slots, slot);
      if (state === "untargeted" || (page.state !== undefined && state !== page.state)) continue;
      if (tasks.length === page.limit) return { tasks, cursor: `${slice.segment}.${slice.part}.${slot}` };
      tasks.push({ segment: slice.segment, slot, state, reason: slotReason(slice.slots, slot) });
    }
  }
  return { tasks };
}

function cursorOf(cursor: string): (Place & { readonly part: number }) | null {
  const [, segment, part, slot] = /^(\d{1,8})\.(\d{1,4})\.(\d{1,4})$/.exec(cursor) ?? [];
  if (segment === undefined) return null;
  return { segment: Number(segment), part: Number(part), slot: Number(slot) };
}

const hasNone = (tally: PartitionTally, state: TaskEntry["state"] | undefined): boolean =>
  tally.closed && state !== undefined && tally[state] === 0;
