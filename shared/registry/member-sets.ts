import { type Memberships, SEGMENT_SLOTS } from "../metering/meter.ts";

/** What a job may be about, besides single meters. */
export type MemberSetKind = "all" | "group" | "feeder" | "transformer" | "collector";

/** A set of meters, kept as bitmaps of slots, one a segment: a set of any size is one query. */
export interface MemberSet {
  readonly kind: MemberSetKind;
  /** `all` for the set of all. */
  readonly name: string;
}

export const ALL: MemberSet = { kind: "all", name: "all" };
/** Meters under work by people are members of the group of this name: rates are told without them as well. */
export const MAINTENANCE_GROUP = "maintenance";
export const groupSet = (name: string): MemberSet => ({ kind: "group", name });

/** Every set that a meter of these memberships is in. */
export function setsOf({ groups, feeder, transformer, collector }: Memberships): readonly MemberSet[] {
  const one = (kind: MemberSetKind, name: string | undefined): readonly MemberSet[] =>
    name === undefined ? [] : [{ kind, name }];
  return [
    ALL,
    ...groups.map(groupSet),
    ...one("feeder", feeder),
    ...one("transformer", transformer),
    ...one("collector", collector),
  ];
}

export const BITMAP_OCTETS = SEGMENT_SLOTS / 8;

/** A bitmap with slots added and removed; slot s is bit `s % 8` of octet `s / 8`. */
export function changedBitmap(
  bitmap: Uint8Array | undefined,
  add: Iterable<number>,
  remove: Iterable<number> = [],
): Uint8Array {
  const changed = new Uint8Array(BITMAP_OCTETS);
  if (bitmap !== undefined) changed.set(bitmap.subarray(0, BITMAP_OCTETS));
  for (const slot of remove) changed[slot >> 3] = (changed[slot >> 3] ?? 0) & ~(1 << (slot & 7));
  for (const slot of add) changed[slot >> 3] = (changed[slot >> 3] ?? 0) | (1 << (slot & 7));
  return changed;
}

export const inBitmap = (bitmap: Uint8Array | undefined, slot: number): boolean =>
  (((bitmap?.[slot >> 3] ?? 0) >> (slot & 7)) & 1) === 1;

/** How many slots a bitmap holds. */
export function countOf(bitmap: Uint8Array): number {
  let count = 0;
  for (let octet of bitmap) for (; octet !== 0; octet &= octet - 1) count++;
  return count;
}
