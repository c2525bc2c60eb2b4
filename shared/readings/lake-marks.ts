import { eachOf } from "../jobs/concurrency.ts";

/** Something was stored since the lake last looked. */
export const DIRTY = "dirty";

/** That a segment's UTC day has to be written to the lake again. */
export interface LakeMark {
  readonly segment: number;
  /** Its start, clock ms. */
  readonly day: number;
  /** `DIRTY`, or the token of the export that took it. */
  readonly state: string;
}

/** Marks as stored. Keys live in `functions/adapters/dynamo-lake.ts`. All reads are strongly consistent. */
export interface LakeMarks {
  /** Undefined: there is none. */
  read(segment: number, day: number): Promise<LakeMark | undefined>;
  /** Says `DIRTY`, whatever was there. */
  mark(segment: number, day: number): Promise<void>;
  /** In no order. */
  list(): AsyncIterable<LakeMark>;
  /** Conditional on the state that was read. */
  take(mark: LakeMark, token: string): Promise<boolean>;
  /** Removes it where it still has this token. */
  clear(mark: Pick<LakeMark, "segment" | "day">, token: string): Promise<void>;
}

const WIDTH = 8;

/**
 * Called when values of these days are stored, always: a batch that comes again may be one whose mark was never written. A mark
 * that says dirty *after* the values are there is taken after them, so that whoever takes it reads them: one write a
 * segment-day and export, else one small read.
 */
export const markDirty = (
  marks: Pick<LakeMarks, "read" | "mark">,
  segment: number,
  days: Iterable<number>,
): Promise<void> =>
  eachOf(days, WIDTH, async (day) => {
    if ((await marks.read(segment, day))?.state !== DIRTY) await marks.mark(segment, day);
  });
