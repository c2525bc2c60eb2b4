import type { FailureReason } from "../metering/failure.ts";
import type { Place } from "../metering/meter.ts";
import type { JobId } from "./job.ts";
import type { Ledger } from "./ledger.ts";
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

/**
 * A page of a job's tasks, slice by slice in the ledger's order. `cursor`: of the page before; undefined when it is
 * none of ours.
 */
export async function tasksOf(
  ledger: Pick<Ledger, "slicesOf">,
  jobId: JobId,
  page: {
    readonly state?: TaskEntry["state"] | undefined;
    readonly limit: number;
    readonly cursor?: string | undefined;
  },
): Promise<TaskPage | undefined> {
  const from = page.cursor === undefined ? undefined : /^(\d+)\.(\d+)\.(\d+)$/.exec(page.cursor);
  if (from === null) return undefined;
  const [fromSegment, fromPart, fromSlot] = from === undefined ? [] : from.slice(1).map(Number);
  let reached = from === undefined;
  const tasks: TaskEntry[] = [];
  for await (const slice of ledger.slicesOf(jobId)) {
    const isFrom = slice.segment === fromSegment && slice.part === fromPart;
    if (!reached && !isFrom) continue;
    for (let slot = !reached && isFrom ? (fromSlot ?? 0) : 0; slot < slice.slots.length; slot++) {
      const state = slotState(slice.slots, slot);
      if (state === "untargeted" || (page.state !== undefined && state !== page.state)) continue;
      if (tasks.length === page.limit) return { tasks, cursor: `${slice.segment}.${slice.part}.${slot}` };
      tasks.push({ segment: slice.segment, slot, state, reason: slotReason(slice.slots, slot) });
    }
    reached = true;
  }
  return { tasks };
}
