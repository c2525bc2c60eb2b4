import { isGroupSlice } from "./group-request.ts";
import type { JobTarget } from "./job.ts";
import type { Ledger } from "./ledger.ts";
import { slotReason, slotState } from "./slots.ts";
import type { SegmentMembers } from "./targets.ts";

type TasksOf = Extract<JobTarget, { kind: "tasksOf" }>;

/**
 * The meters whose tasks of the other job have ended in one of the states, for one of the reasons: read from its slices,
 * a bitmap a slice (parts of one segment come one by one).
 */
export async function* endedTasks(ledger: Pick<Ledger, "slicesOf">, target: TasksOf): AsyncGenerator<SegmentMembers> {
  for await (const slice of ledger.slicesOf(target.jobId)) {
    if (isGroupSlice(slice)) continue;
    const { segment, slots } = slice;
    const bitmap = new Uint8Array(slots.length / 8);
    let some = false;
    for (let slot = 0; slot < slots.length; slot++) {
      const state = slotState(slots, slot);
      if (state !== "failed" && state !== "expired") continue;
      if (!target.states.includes(state)) continue;
      if (target.reasons !== undefined && !target.reasons.includes(slotReason(slots, slot))) continue;
      bitmap[slot >> 3] = (bitmap[slot >> 3] ?? 0) | (1 << (slot & 7));
      some = true;
    }
    if (some) yield { segment, bitmap };
  }
}
