import type { Slice } from "./slice.ts";
import { slotState } from "./slots.ts";
import type { SegmentMembers } from "./targets.ts";

/** Meters of a segment whose way in is another than most of the segment's: they came by it after they were enrolled. */
export interface OtherWay extends SegmentMembers {
  readonly wayIn: string;
}

/** Ways in a segment beyond its own, by segment, ordered by name so that parts are the same each time. */
export type OtherWays = ReadonlyMap<number, readonly OtherWay[]>;

export async function otherWaysOf(found: AsyncIterable<OtherWay>): Promise<OtherWays> {
  const ways = new Map<number, OtherWay[]>();
  for await (const way of found) ways.set(way.segment, [...(ways.get(way.segment) ?? []), way]);
  for (const list of ways.values()) list.sort((left, right) => (left.wayIn < right.wayIn ? -1 : 1));
  return ways;
}

const without = (bitmap: Uint8Array, other: Uint8Array): Uint8Array =>
  bitmap.map((octet, at) => octet & ~(other[at] ?? 0));
const within = (bitmap: Uint8Array, other: Uint8Array): Uint8Array =>
  bitmap.map((octet, at) => octet & (other[at] ?? 0));
const isEmpty = (bitmap: Uint8Array): boolean => bitmap.every((octet) => octet === 0);

/**
 * The parts of a segment's targets: 0 by the segment's own way in, 1 and up by the others. A slot is in one part only;
 * parts without targets are left out.
 */
export function partsOf(
  { segment, bitmap }: SegmentMembers,
  others: readonly OtherWay[] = [],
): readonly (SegmentMembers & { readonly part: number })[] {
  let rest = bitmap;
  const parts = others.map(({ bitmap: way }, at) => {
    const mine = within(rest, way);
    rest = without(rest, way);
    return { segment, part: at + 1, bitmap: mine };
  });
  return [{ segment, part: 0, bitmap: rest }, ...parts].filter((part) => !isEmpty(part.bitmap));
}

/** What is left of a part beside one that lies there already, planned when the ways in were others. */
export function besides<T extends SegmentMembers>(part: T, there: Pick<Slice, "slots">): T {
  const bitmap = part.bitmap.slice();
  for (let slot = 0; slot < there.slots.length; slot++)
    if (slotState(there.slots, slot) !== "untargeted")
      bitmap[slot >> 3] = (bitmap[slot >> 3] ?? 0) & ~(1 << (slot & 7));
  return { ...part, bitmap };
}
