import type { SegmentMembers } from "../../shared/jobs/targets.ts";
import { SEGMENT_SLOTS } from "../../shared/metering/meter.ts";
import { bySetsAlone, type MeterFilter, matchesFilter, SET_FIELDS } from "../../shared/metering/meter-filter.ts";
import { countOf } from "../../shared/registry/member-sets.ts";
import type { Segments } from "../../shared/registry/registry.ts";
import type { MeterDirectory } from "./dynamo-registry.ts";

const PAGE = 500;

/** Meters of the directory that match and are enrolled, in pages; `walked` counts what was looked at. */
async function* matching(directory: MeterDirectory, filter: MeterFilter) {
  let after: string | undefined;
  do {
    const page = await directory.list({ prefix: filter.idPrefix ?? "", after, limit: PAGE });
    const found = page.meters.filter(({ state, meter }) => state === "enrolled" && matchesFilter(filter, meter));
    yield { found, walked: page.meters.length };
    after = page.next;
  } while (after !== undefined);
}

/** Any-of inside a field, all-of over the fields: unions, then intersections, of the member sets. */
async function bySets(
  segments: Pick<Segments, "members">,
  filter: MeterFilter,
): Promise<ReadonlyMap<number, Uint8Array>> {
  let result: Map<number, Uint8Array> | undefined;
  for (const kind of SET_FIELDS) {
    if (filter[kind] === undefined) continue;
    const union = new Map<number, Uint8Array>();
    for (const name of new Set(filter[kind]))
      for await (const { segment, bitmap } of segments.members({ kind, name }))
        union.set(segment, union.get(segment)?.map((octet, at) => octet | (bitmap[at] ?? 0)) ?? bitmap);
    const was = result;
    result =
      was === undefined
        ? union
        : new Map(
            [...union].flatMap(([segment, bitmap]) => {
              const other = was.get(segment);
              return other === undefined ? [] : [[segment, bitmap.map((octet, at) => octet & (other[at] ?? 0))]];
            }),
          );
  }
  return result ?? new Map();
}

/**
 * Meters that match a filter now, a bitmap a segment. Memberships alone are answered by the sets, one query each; other
 * conditions walk the directory under the id prefix, a millisecond or so a meter page: the fleet files will spare that.
 * The directory is an index: a meter enrolled this second may be missing.
 */
export async function* filterMembers(
  directory: MeterDirectory,
  segments: Pick<Segments, "members">,
  filter: MeterFilter,
): AsyncGenerator<SegmentMembers> {
  const found = new Map<number, Uint8Array>();
  if (bySetsAlone(filter)) for (const [segment, bitmap] of await bySets(segments, filter)) found.set(segment, bitmap);
  else
    for await (const page of matching(directory, filter))
      for (const { place } of page.found) {
        const bitmap = found.get(place.segment) ?? new Uint8Array(SEGMENT_SLOTS / 8);
        bitmap[place.slot >> 3] = (bitmap[place.slot >> 3] ?? 0) | (1 << (place.slot & 7));
        found.set(place.segment, bitmap);
      }
  for (const [segment, bitmap] of [...found].sort(([left], [right]) => left - right))
    if (bitmap.some((octet) => octet !== 0)) yield { segment, bitmap };
}

/** So many meters are looked at for a preview at most. */
export const PREVIEW_WALK_MAX = 20_000;

/** How many meters match now. Not `complete`: at least so many; the walk was cut short. */
export async function countMatching(
  directory: MeterDirectory,
  segments: Pick<Segments, "members">,
  filter: MeterFilter,
): Promise<{ readonly meters: number; readonly complete: boolean }> {
  let [meters, walked] = [0, 0];
  if (bySetsAlone(filter)) {
    for (const bitmap of (await bySets(segments, filter)).values()) meters += countOf(bitmap);
    return { meters, complete: true };
  }
  for await (const page of matching(directory, filter)) {
    if (walked >= PREVIEW_WALK_MAX) return { meters, complete: false };
    meters += page.found.length;
    walked += page.walked;
  }
  return { meters, complete: true };
}
