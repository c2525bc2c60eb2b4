import { FAILURE_REASONS, type FailureReason } from "../metering/failure.ts";
import { SEGMENT_SLOTS } from "../metering/meter.ts";
import { assert } from "../ports/errors.ts";

/** How one task of a slice stands: three bits of its octet. Append only. */
export const SLOT_STATES = ["untargeted", "open", "done", "failed", "expired", "cancelled"] as const;
export type SlotState = (typeof SLOT_STATES)[number];

/** One octet a slot: state in the upper three bits, last reason in the lower five. */
export type Slots = Uint8Array;

export const noSlots = (): Slots => new Uint8Array(SEGMENT_SLOTS);

export const octetState = (octet: number): SlotState => SLOT_STATES[octet >> 5]!;
export const octetReason = (octet: number): FailureReason => FAILURE_REASONS[octet & 0x1f]!;
export const slotState = (slots: Slots, slot: number): SlotState => octetState(slots[slot]!);
export const slotReason = (slots: Slots, slot: number): FailureReason => octetReason(slots[slot]!);

export function setSlot(slots: Slots, slot: number, state: SlotState, reason: FailureReason = "none"): void {
  assert(slot >= 0 && slot < SEGMENT_SLOTS, "a slot lies in its segment");
  slots[slot] = (SLOT_STATES.indexOf(state) << 5) | FAILURE_REASONS.indexOf(reason);
}

export type SlotCounts = Readonly<Record<SlotState, number>>;

export function countSlots(slots: Slots): SlotCounts {
  const counts = Object.fromEntries(SLOT_STATES.map((state) => [state, 0])) as Record<SlotState, number>;
  for (const octet of slots) counts[SLOT_STATES[octet >> 5]!]++;
  return counts;
}

/** Slots in the given state, ascending. */
export function slotsIn(slots: Slots, state: SlotState): number[] {
  const code = SLOT_STATES.indexOf(state);
  const found: number[] = [];
  for (let slot = 0; slot < slots.length; slot++) if (slots[slot]! >> 5 === code) found.push(slot);
  return found;
}
