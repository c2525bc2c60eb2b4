import type { FailureReason } from "../metering/failure.ts";
import { isIntended, settlesEffect } from "./intents.ts";
import type { TaskReport } from "./messages.ts";
import type { Slice } from "./slice.ts";
import { type SlotState, type Slots, setSlot, slotReason, slotState } from "./slots.ts";

type SlotReport = Pick<TaskReport, "slot" | "outcome">;

/** What became of the reports of a batch; the numbers are reports. */
export interface OutcomeCounts {
  /** Ended a slot. */
  readonly ended: number;
  /** Left it open, with another last reason. */
  readonly noted: number;
  /** `ended + noted`: whether the slice has to be written. */
  readonly changed: number;
  /** Of those ended: nobody can tell what became of the effect. An alarm. */
  readonly unverified: number;
  /** Slots of those that no report ended: there was no further pass to look for a proof. */
  readonly unproved: readonly number[];
  /** Said what the slot says already. */
  readonly duplicate: number;
  /** Came after the first outcome, and differs: kept as a reading, changes nothing. */
  readonly late: number;
  /** The slot is not (or not any more) in this part. */
  readonly strayed: readonly SlotReport[];
}

export const hasOpen = (slots: Slots): boolean => slots.some((octet) => octet >> 5 === 1);

/** What a report does to an open slot: ends it in a state, or leaves it open, with a reason either way. */
interface Ending {
  readonly state: Exclude<SlotState, "untargeted" | "expired">;
  readonly reason: FailureReason;
}

function endingOf({ outcome }: SlotReport, last: (reason: FailureReason) => boolean): Ending {
  switch (outcome.kind) {
    case "done":
      return { state: "done", reason: "none" };
    case "cancelled":
      return { state: "cancelled", reason: outcome.reason };
    case "failed":
      return { state: outcome.retry === "never" || last(outcome.reason) ? "failed" : "open", reason: outcome.reason };
  }
}

/**
 * Of a slot with intent only a proof counts, whoever brings it; that the effect did not happen is believed of the present
 * holder alone, since a former one does not know what came after him. What settles nothing ends as `unverified`.
 */
function provedEnding(report: SlotReport, { holders, last }: Proof): Ending {
  const ending = endingOf(report, () => last);
  if (ending.state === "open" || ending.state === "done") return ending;
  if (!holders) return { state: "open", reason: ending.reason };
  if (ending.state === "cancelled" || settlesEffect(ending.reason)) return ending;
  return { state: "failed", reason: "unverified" };
}

/** It asks for another pass, or settles nothing: its task ended without a word about the effect. */
const saysNothing = ({ outcome }: SlotReport): boolean =>
  outcome.kind === "failed" && (outcome.retry === "later" || !settlesEffect(outcome.reason));

/** Of the reports of slots with intent. */
export interface Proof {
  /** They come from the present holder of the slice. */
  readonly holders: boolean;
  /** There is no further pass to look for a proof. */
  readonly last: boolean;
}

/**
 * The first outcome of a slot wins. `last`: this was the last pass that the policy allows a failure of that reason, so
 * that one worth another try ends the slot all the same.
 */
export function applyOutcomes(
  slice: Pick<Slice, "slots" | "intent">,
  reports: readonly SlotReport[],
  last: (reason: FailureReason) => boolean,
  proof: Proof = { holders: false, last: false },
): { readonly slots: Slots; readonly counts: OutcomeCounts } {
  const slots = slice.slots.slice();
  const strayed: SlotReport[] = [];
  const unproved: number[] = [];
  let [ended, noted, unverified, duplicate, late] = [0, 0, 0, 0, 0];
  for (const report of reports) {
    const { slot, outcome } = report;
    const state = slotState(slots, slot);
    if (state === "untargeted") strayed.push(report);
    else if (state !== "open") {
      if (state === "failed" && slotReason(slots, slot) === "unverified" && saysNothing(report)) unproved.push(slot);
      const reason = outcome.kind === "done" ? "none" : outcome.reason;
      if (state === outcome.kind && slotReason(slots, slot) === reason) duplicate++;
      else late++;
    } else {
      const ending = isIntended(slice, slot) ? provedEnding(report, proof) : endingOf(report, last);
      if (ending.state !== "open") ended++;
      else if (slotReason(slots, slot) === ending.reason) duplicate++;
      else noted++;
      if (ending.state === "failed" && ending.reason === "unverified") {
        unverified++;
        if (saysNothing(report)) unproved.push(slot);
      }
      setSlot(slots, slot, ending.state, ending.reason);
    }
  }
  return { slots, counts: { ended, noted, changed: ended + noted, unverified, duplicate, late, unproved, strayed } };
}
