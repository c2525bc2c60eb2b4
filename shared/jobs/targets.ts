import type { MeterId, Place } from "../metering/meter.ts";
import type { MeterFilter } from "../queries/language/meter-filter.ts";
import type { JobTarget } from "./job.ts";
import type { OtherWay } from "./parts.ts";

/** A set of meters that the registry knows. */
export type SetTarget =
  | Extract<JobTarget, { kind: "group" | "feeder" | "transformer" | "collector" | "all" | "missing" }>
  /** Enrolled meters that match now. */
  | { readonly kind: "filter"; readonly filter: MeterFilter };

/** What planning reads of the registry. */
export interface Targets {
  /** Strongly consistent. Meters that are not (or not any more) enrolled, or unknown, are left out. */
  places(meterIds: readonly MeterId[]): Promise<ReadonlyMap<MeterId, Place>>;
  /** Members of a group, feeder…, all or those that match a filter, a bitmap of slots a segment, ascending; segments without members are left out. */
  members(target: SetTarget): AsyncIterable<SegmentMembers>;
  /**
   * How many meters match a filter now, counted up to `most`; undefined: fewer were found, but not all were looked at.
   * Absent: whoever asks counts the members.
   */
  count?(filter: MeterFilter, most: number): Promise<number | undefined>;
  /** Meters whose way in is another than their segment's; absent: there are none. */
  otherWays?(): AsyncIterable<OtherWay>;
}

export interface SegmentMembers {
  readonly segment: number;
  /** 128 octets; slot s is bit `s % 8` (1 << s % 8) of octet `s / 8`. */
  readonly bitmap: Uint8Array;
}

/** Slots of a bitmap, ascending. */
export function slotsOfBitmap(bitmap: Uint8Array): number[] {
  const slots: number[] = [];
  for (let octet = 0; octet < bitmap.length; octet++)
    for (let bit = 0; bit < 8; bit++) if (((bitmap[octet] ?? 0) >> bit) & 1) slots.push(octet * 8 + bit);
  return slots;
}
