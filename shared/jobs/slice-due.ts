import { seedOf } from "../ports/random.ts";
import type { Slice, SliceKey } from "./slice.ts";

/** The due index is spread over so many partitions a minute. */
export const DUE_SHARDS = 64;
export const MINUTE_MS = 60_000;
/** Age alone never resends: a queued slice is only *looked at* when it is so old. */
export const QUEUED_LOOK_MS = 10 * MINUTE_MS;

/**
 * When the sweep has to look at a slice, clock ms; undefined: never again. The due index is derived from this alone,
 * so that a slice cannot be due by one rule and indexed by another.
 */
export function dueAt(slice: Slice): number | undefined {
  switch (slice.state) {
    case "planned":
    case "resting":
      return Math.min(slice.nextAttempt ?? 0, slice.deadline);
    case "queued":
      return Math.min(slice.nextAttempt ?? (slice.sentAt ?? 0) + QUEUED_LOOK_MS, slice.deadline);
    case "working":
      return slice.lease?.until ?? 0;
    case "closed":
      return undefined;
  }
}

/** The minute (since 1970) from whose beginning the sweep sees the slice: it is due before that minute begins. */
export const dueMinute = (at: number): number => Math.ceil(at / MINUTE_MS);

/** Which of the partitions of its due minute a slice lies in. */
export const dueShard = ({ jobId, segment, part }: SliceKey): number =>
  seedOf(`${jobId}#${segment}#${part}`) % DUE_SHARDS;
