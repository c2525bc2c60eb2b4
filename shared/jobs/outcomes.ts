import type { FailureReason } from "../metering/failure.ts";
import type { TaskReport } from "./messages.ts";
import type { Slice } from "./slice.ts";
import { type Slots, setSlot, slotReason, slotState } from "./slots.ts";

type SlotReport = Pick<TaskReport, "slot" | "outcome">;

/** What became of the reports of a batch; the numbers are reports. */
export interface OutcomeCounts {
  /** Ended a slot. */
  readonly ended: number;
  /** Left it open, with another last reason. */
  readonly noted: number;
  /** `ended + noted`: whether the slice has to be written. */
  readonly changed: number;
  /** Said what the slot says already. */
  readonly duplicate: number;
  /** Came after the first outcome, and differs: kept as a reading, changes nothing. */
  readonly late: number;
  /** The slot is not (or not any more) in this part. */
  readonly strayed: readonly SlotReport[];
}

export const hasOpen = (slots: Slots): boolean => slots.some((octet) => octet >> 5 === 1);

/**
 * The first outcome of a slot wins. `last`: this was the last pass that the policy allows a failure of that reason, so
 * that one worth another try ends the slot all the same.
 */
export function applyOutcomes(
  slice: Pick<Slice, "slots" | "intent">,
  reports: readonly SlotReport[],
  last: (reason: FailureReason) => boolean,
): { readonly slots: Slots; readonly intent?: Uint8Array; readonly counts: OutcomeCounts } {
  const slots = slice.slots.slice();
  const intent = slice.intent?.slice();
  const strayed: SlotReport[] = [];
  let [ended, noted, duplicate, late] = [0, 0, 0, 0];
  for (const report of reports) {
    const { slot, outcome } = report;
    const state = slotState(slots, slot);
    const reason = outcome.kind === "done" ? "none" : outcome.reason;
    const ends = outcome.kind === "done" ? "done" : outcome.retry === "never" || last(outcome.reason) ? "failed" : undefined;
    if (state === "untargeted") strayed.push(report);
    else if (state !== "open") {
      const says = outcome.kind === "done" ? "done" : "failed";
      if (state === says && slotReason(slots, slot) === reason) duplicate++;
      else late++;
    } else if (ends !== undefined) {
      setSlot(slots, slot, ends, reason);
      if (intent !== undefined) intent[slot >> 3] = (intent[slot >> 3] ?? 0) & ~(1 << (slot & 7));
      ended++;
    } else if (slotReason(slots, slot) === reason) duplicate++;
    else {
      setSlot(slots, slot, "open", reason);
      noted++;
    }
  }
  const counts = { ended, noted, changed: ended + noted, duplicate, late, strayed };
  return { slots, ...(intent === undefined ? {} : { intent }), counts };
}
