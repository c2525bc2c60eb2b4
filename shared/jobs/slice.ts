import type { EffectRecord } from "./effect-record.ts";
import type { JobId } from "./job.ts";
import type { Lane } from "./lane.ts";
import type { Slots } from "./slots.ts";

/** Which slice. `part` is 0 unless the segment's meters have different ways in, or the slice was split. */
export interface SliceKey {
  readonly jobId: JobId;
  readonly segment: number;
  readonly part: number;
}

export type SliceState = "planned" | "queued" | "working" | "resting" | "closed";

/** The unit of dispatch: one ledger item, one message, one lease. The ledger is the truth, a message is a hint. */
export interface Slice extends SliceKey {
  readonly state: SliceState;
  readonly lane: Lane;
  /** Rises with every resend; a message of another generation is deleted unread. */
  readonly generation: number;
  /** Rises with every write; every write is conditional on it. */
  readonly version: number;
  readonly slots: Slots;
  /** One bit a slot: a `once` effect may have begun. Absent: none. */
  readonly intent?: Uint8Array;
  /** By slot, beside its intent: what a proof needs. Absent: none. */
  readonly effects?: ReadonlyMap<number, EffectRecord>;
  /** Who works on it, until when (clock ms). */
  readonly lease?: { readonly owner: string; readonly until: number };
  /** Passes that are over. */
  readonly passes: number;
  /** Leases that ran out or were taken over: at three the slice is split into slices of one. */
  readonly uncleanEnds: number;
  /** Clock ms. `nextAttempt`: when a resting slice is due. */
  readonly nextAttempt?: number;
  readonly sentAt?: number;
  readonly deadline: number;
  /** While the slice is split: slots that leave it (open, with their reason), each for a part of its own. */
  readonly moved?: Slots;
}
