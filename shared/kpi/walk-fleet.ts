import type { SegmentMembers } from "../jobs/targets.ts";
import { type Place, SEGMENT_SLOTS } from "../metering/meter.ts";
import type { FleetColumnStore } from "../readings/fleet-columns.ts";
import type { MissingRecords } from "../readings/missing-records.ts";
import { ALL, groupSet, inBitmap, MAINTENANCE_GROUP } from "../registry/member-sets.ts";
import type { Segments } from "../registry/registry.ts";
import {
  countSegment,
  type FleetCounts,
  type FleetSegment,
  type MeterWords,
  NO_METERS,
  sumCounts,
  wordsOf,
} from "./count-fleet.ts";

interface Page {
  readonly from?: Place | undefined;
  readonly limit: number;
}
interface PlacePage {
  readonly places: readonly Place[];
  /** Where the next page begins; absent: it was the last. */
  readonly next?: Place;
}

export interface FleetPorts {
  readonly segments: Pick<Segments, "members">;
  readonly columns: Pick<FleetColumnStore, "readMany">;
}

/** Segments that are read at once: some 400 kB. */
const PIECE = 100;

/** Every segment with active meters from this one on, ascending, with its fast facts. */
export async function* fleetFrom({ segments, columns }: FleetPorts, from = 0): AsyncGenerator<FleetSegment> {
  const maintenance = new Map<number, Uint8Array>();
  for await (const { segment, bitmap } of segments.members(groupSet(MAINTENANCE_GROUP), from))
    maintenance.set(segment, bitmap);
  async function* withFacts(members: readonly SegmentMembers[]): AsyncGenerator<FleetSegment> {
    const known = await columns.readMany(members.map(({ segment }) => segment));
    for (const { segment, bitmap: active } of members)
      yield { segment, active, maintenance: maintenance.get(segment), columns: known.get(segment) };
  }
  let held: SegmentMembers[] = [];
  for await (const members of segments.members(ALL, from)) {
    held.push(members);
    if (held.length < PIECE) continue;
    yield* withFacts(held);
    held = [];
  }
  yield* withFacts(held);
}

/** Counts the whole fleet at `nowMs` (product clock); `segments`: how many it has. */
export async function countFleet(
  ports: FleetPorts,
  nowMs: number,
): Promise<{ readonly counts: FleetCounts; readonly segments: number }> {
  let counts = NO_METERS;
  let segments = 0;
  for await (const segment of fleetFrom(ports)) {
    counts = sumCounts(counts, countSegment(segment, nowMs));
    segments++;
  }
  return { counts, segments };
}

/** So many segments one page looks at, at most: where few match, a page ends before it is full. */
const SEGMENTS_LOOKED_AT = 500;

/** Active meters that match, by place, from a place on. */
export async function placesWhere(
  ports: FleetPorts,
  matches: (words: MeterWords) => boolean,
  nowMs: number,
  page: Page,
): Promise<PlacePage> {
  const slots = (one: FleetSegment): readonly number[] =>
    Array.from({ length: SEGMENT_SLOTS }, (_, slot) => slot).filter((slot) => {
      const words = wordsOf(one, slot, nowMs);
      return words.active && matches(words);
    });
  return pageOf(fleetFrom(ports, page.from?.segment), async (one) => slots(one), page);
}

/** Active meters of which intervals of the UTC day are missing, as it was counted last. */
export async function placesWithGaps(
  ports: Pick<FleetPorts, "segments"> & { readonly missing: Pick<MissingRecords, "read"> },
  day: number,
  page: Page,
): Promise<PlacePage> {
  const gaps = async ({ segment, bitmap }: SegmentMembers): Promise<readonly number[]> => {
    const slots = new Set((await ports.missing.read(segment, day))?.entries.map(({ slot }) => slot));
    return [...slots].filter((slot) => inBitmap(bitmap, slot)).sort((left, right) => left - right);
  };
  return pageOf(ports.segments.members(ALL, page.from?.segment), gaps, page);
}

async function pageOf<T extends { readonly segment: number }>(
  segments: AsyncIterable<T>,
  slotsIn: (one: T) => Promise<readonly number[]>,
  { from, limit }: Page,
): Promise<PlacePage> {
  const places: Place[] = [];
  let looked = 0;
  for await (const one of segments) {
    const { segment } = one;
    if (looked++ === SEGMENTS_LOOKED_AT) return { places, next: { segment, slot: 0 } };
    for (const slot of await slotsIn(one)) {
      if (segment === from?.segment && slot < from.slot) continue;
      if (places.length === limit) return { places, next: { segment, slot } };
      places.push({ segment, slot });
    }
  }
  return { places };
}
