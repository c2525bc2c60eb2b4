import type { SegmentMembers } from "../jobs/targets.ts";
import { SEGMENT_SLOTS } from "../metering/meter.ts";
import type { RegisteredMeter } from "../registry/registered-meter.ts";
import { isLogic, testsIn } from "./language/condition.ts";
import { evaluate } from "./language/evaluate.ts";
import type { MeterRow } from "./language/meter-fields.ts";
import { conditionOf, type MeterCondition, type MeterFilter } from "./language/meter-filter.ts";
import { type FactKind, FIELDS_OF_FACTS, factsRow, registryRow, type SegmentFacts } from "./meter-row.ts";

/** Meters in the order of their ids. */
export interface MeterDirectory {
  /** Those whose id begins with `prefix` and comes after `after`; an index, so lately enrolled ones may be missing. */
  list(page: { readonly prefix: string; readonly after?: string | undefined; readonly limit: number }): Promise<{
    readonly meters: readonly RegisteredMeter[];
    readonly next?: string;
  }>;
}

/** Facts beyond the registry. */
export interface FactSource {
  /** Those kinds of facts of slots of a segment, as they stand at `nowMs`. */
  of(segment: number, slots: readonly number[], kinds: readonly FactKind[], nowMs: number): Promise<SegmentFacts>;
}

/** Which kinds of facts decide on a condition. */
export function factKindsOf(condition: MeterCondition): readonly FactKind[] {
  const asked = new Set(testsIn(condition).map(({ kind }) => kind));
  const kinds = Object.entries(FIELDS_OF_FACTS) as [FactKind, readonly (typeof FIELDS_OF_FACTS)[FactKind][number][]][];
  return kinds.filter(([, fields]) => fields.some((field) => asked.has(field))).map(([kind]) => kind);
}
/** What rows show: a read a segment each; others where they are asked for. */
const SHOWN: readonly FactKind[] = ["columns", "missing"];

export interface MeterSearchPorts {
  readonly directory: MeterDirectory;
  readonly facts: FactSource;
  /** Product clock: ages and days count from it. */
  readonly now: () => number;
}

export interface FoundMeter {
  readonly meter: RegisteredMeter;
  readonly row: MeterRow;
}

const PAGE = 500;

/** Enrolled meters of the directory that match, a page at a time. `kinds`: facts that the rows have. */
async function* matching(
  ports: MeterSearchPorts,
  condition: MeterCondition,
  kinds: readonly FactKind[],
  from: string | undefined,
  size: number,
) {
  const nowMs = ports.now();
  const prefix = prefixOf(condition);
  let after = from;
  do {
    const page = await ports.directory.list({ prefix, after, limit: size });
    const enrolled = page.meters.filter(({ state }) => state === "enrolled");
    const segments = kinds.length === 0 ? [] : [...Map.groupBy(enrolled, ({ place }) => place.segment)];
    const facts = new Map(
      await Promise.all(
        segments.map(async ([segment, meters]) => {
          const slots = meters.map(({ place }) => place.slot);
          return [segment, await ports.facts.of(segment, slots, kinds, nowMs)] as const;
        }),
      ),
    );
    const found: FoundMeter[] = [];
    for (const meter of enrolled) {
      const { segment, slot } = meter.place;
      const row = { ...registryRow(meter), ...factsRow(facts.get(segment) ?? {}, slot, nowMs) };
      if (evaluate(condition, row, nowMs) === true) found.push({ meter, row });
    }
    yield { found, walked: page.meters.length, next: page.next };
    after = page.next;
  } while (after !== undefined);
}

/** The beginning that every matching meter's id has, as far as the condition says so plainly. */
function prefixOf(condition: MeterCondition): string {
  if (!isLogic(condition)) return condition.kind === "meterId" ? (condition.startsWith ?? "") : "";
  if (condition.kind !== "all") return "";
  return condition.of.map(prefixOf).reduce((left, right) => (left.length >= right.length ? left : right), "");
}

/** So many meters of the directory one page or one count looks at, at most. */
export const METERS_LOOKED_AT = 20_000;

export interface MeterPage {
  readonly meters: readonly FoundMeter[];
  /** Where the next page begins; absent: every meter was looked at. */
  readonly cursor?: string;
}

/** Meters that match now, by id. Where few match, a page ends before it is full. `cursor`: of the page before. */
export async function findMeters(
  ports: MeterSearchPorts,
  filter: MeterFilter,
  page: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<MeterPage> {
  const meters: FoundMeter[] = [];
  const condition = conditionOf(filter);
  const kinds = [...new Set([...SHOWN, ...factKindsOf(condition)])];
  let walked = 0;
  for await (const { found, ...rest } of matching(ports, condition, kinds, page.cursor, PAGE)) {
    for (const one of found) {
      if (meters.push(one) === page.limit) return { meters, cursor: one.meter.meter.meterId };
    }
    walked += rest.walked;
    if (rest.next !== undefined && walked >= METERS_LOOKED_AT) return { meters, cursor: rest.next };
  }
  return { meters };
}

/** How many meters match now, counted up to `most`. Not `complete`: at least so many; not all meters were looked at. */
export async function countMeters(
  ports: MeterSearchPorts,
  filter: MeterFilter,
  most = Number.POSITIVE_INFINITY,
): Promise<{ readonly meters: number; readonly complete: boolean }> {
  const condition = conditionOf(filter);
  let [meters, walked] = [0, 0];
  for await (const page of matching(ports, condition, factKindsOf(condition), undefined, PAGE)) {
    meters += page.found.length;
    walked += page.walked;
    if (page.next !== undefined && (walked >= METERS_LOOKED_AT || meters >= most)) return { meters, complete: false };
  }
  return { meters, complete: true };
}

/** All that match now, a bitmap a segment, ascending. */
export async function membersByWalk(ports: MeterSearchPorts, filter: MeterFilter): Promise<readonly SegmentMembers[]> {
  const condition = conditionOf(filter);
  const bitmaps = new Map<number, Uint8Array>();
  for await (const page of matching(ports, condition, factKindsOf(condition), undefined, PAGE))
    for (const { meter } of page.found) {
      const { segment, slot } = meter.place;
      const bitmap = bitmaps.get(segment) ?? new Uint8Array(SEGMENT_SLOTS / 8);
      bitmap[slot >> 3] = (bitmap[slot >> 3] ?? 0) | (1 << (slot & 7));
      bitmaps.set(segment, bitmap);
    }
  return sorted(bitmaps);
}

const sorted = (bitmaps: ReadonlyMap<number, Uint8Array>): readonly SegmentMembers[] =>
  [...bitmaps]
    .filter(([, bitmap]) => bitmap.some((octet) => octet !== 0))
    .sort(([left], [right]) => left - right)
    .map(([segment, bitmap]) => ({ segment, bitmap }));
