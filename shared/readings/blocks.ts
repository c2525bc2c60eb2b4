import type { Place } from "../metering/meter.ts";
import { SNAPSHOT_KINDS, type SnapshotKind } from "../metering/result.ts";
import { dayOf } from "./day-block.ts";

/** The set of a block that holds nothing but registers. */
export const REGISTERS_SET = "registers";

/**
 * The set of a block that holds one snapshot of registers, in the UTC day in which it was taken: its kind and its
 * millisecond of the day. No channel set has an `@` in its name.
 */
export const snapshotSet = (kind: SnapshotKind, at: number): string => `${kind}@${at - dayOf(at)}`;

/** What a set's name says, where it is that of a snapshot. `day`: start of the block's UTC day. */
export function snapshotOf(set: string, day: number): { readonly kind: SnapshotKind; readonly at: number } | undefined {
  const [name, offset = "", ...rest] = set.split("@");
  const kind = SNAPSHOT_KINDS.find((one) => one === name);
  return kind === undefined || rest.length > 0 || !/^\d{1,8}$/.test(offset)
    ? undefined
    : { kind, at: day + Number(offset) };
}

/** One meter, UTC day (its start, clock ms) and channel set. */
export interface BlockKey extends Place {
  readonly day: number;
  /** Name of the channel set; `REGISTERS_SET`: registers read without intervals; `snapshotSet`: a snapshot. */
  readonly set: string;
}

export interface StoredBlock {
  readonly key: BlockKey;
  readonly octets: Uint8Array;
  /** Rises with every write. */
  readonly version: number;
}

/** Values that another batch's values replaced: what one said where the other won. */
export interface SupersededBlock {
  readonly key: BlockKey;
  /** References of the batches. */
  readonly loser: string;
  readonly winner: string;
  readonly octets: Uint8Array;
}

/** Day blocks as stored. Keys and access patterns live in `functions/adapters/dynamo-day-blocks.ts`. */
export interface DayBlocks {
  /** Strongly consistent, in batches; blocks that do not exist are left out. */
  read(keys: readonly BlockKey[]): Promise<readonly StoredBlock[]>;
  /** Conditional on the version that was read; 0: there was none. */
  write(key: BlockKey, octets: Uint8Array, was: number): Promise<"written" | "conflict">;
  /** Unconditional: the same loser, winner and key always mean the same correction. */
  keep(superseded: SupersededBlock): Promise<void>;
  /** All blocks of a meter in the UTC days that touch [from, to], clock ms. */
  ofMeter(place: Place, from: number, to: number): Promise<readonly StoredBlock[]>;
  /** All blocks of one segment and UTC day, strongly consistent, in no order. */
  ofSegment(segment: number, day: number): Promise<readonly StoredBlock[]>;
  /** What was superseded in one UTC day of a meter. */
  supersededOf(place: Place, day: number): Promise<readonly SupersededBlock[]>;
}
