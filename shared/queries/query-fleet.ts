import { piecesOf } from "../jobs/concurrency.ts";
import type { SegmentMembers } from "../jobs/targets.ts";
import { slotsOfBitmap } from "../jobs/targets.ts";
import { SEGMENT_SLOTS } from "../metering/meter.ts";
import type { Column, Columnar, ColumnarAnswer } from "../ports/columnar.ts";
import { countOf } from "../registry/member-sets.ts";
import { isLogic, type Leaf, partsOf, testsIn } from "./language/condition.ts";
import { evaluate } from "./language/evaluate.ts";
import type { Fact } from "./language/field.ts";
import { METER_FIELDS, type MeterField, type MeterRow } from "./language/meter-fields.ts";
import { conditionOf, type MeterCondition, type MeterFilter } from "./language/meter-filter.ts";
import { sqlOf } from "./language/sql-of.ts";
import { factReader, factsRow, isFastField, type SegmentFacts } from "./meter-row.ts";

/** What a fleet file says of an enrolled meter: slow facts. Groups are one text, a blank between names. */
export const FLEET_FILE_COLUMNS = [
  { name: "segment", type: "integer" },
  { name: "slot", type: "integer" },
  { name: "meterId", type: "text" },
  { name: "commodity", type: "text" },
  { name: "profile", type: "text" },
  { name: "groups", type: "text" },
  { name: "feeder", type: "text" },
  { name: "transformer", type: "text" },
  { name: "collector", type: "text" },
  { name: "cell", type: "text" },
  { name: "servicePoint", type: "text" },
  { name: "latitude", type: "double" },
  { name: "longitude", type: "double" },
  { name: "keyVersion", type: "integer" },
  { name: "firmware", type: "text" },
  { name: "program", type: "text" },
] as const satisfies readonly Column[];

/** The fleet as files and columns have it. */
export interface FleetSources {
  /** Fleet files, on this machine. */
  readonly files: readonly string[];
  /** Fast facts of these segments, `columns` and `missing`, as far as anything is known. */
  readonly facts: (segments: readonly number[]) => Promise<ReadonlyMap<number, SegmentFacts>>;
}

/** The meters of the fleet, and those of them for which each of the conditions holds: a bitmap a segment. */
interface SlowAnswer {
  readonly segment: number;
  readonly all: Uint8Array;
  readonly holding: readonly Uint8Array[];
}

const METERS = `SELECT *, CASE WHEN groups = '' THEN [] ELSE string_split(groups, ' ') END AS "group" FROM files`;
/** Of a hundred million meters. */
const SEGMENTS_MAX = 100_000;

/** Segments whose fast facts are held at once. */
const LOOKED_UP = 256;
const NOTHING_KNOWN: ReadonlyMap<number, SegmentFacts> = new Map();

export type FleetQueries = ReturnType<typeof fleetQueries>;

const isSlow = (condition: MeterCondition): boolean => !testsIn(condition).some(({ kind }) => isFastField(kind));

/** The largest parts of a condition that ask for slow facts alone. */
function slowParts(condition: MeterCondition): readonly MeterCondition[] {
  if (isSlow(condition)) return [condition];
  return isLogic(condition) ? partsOf(condition).flatMap(slowParts) : [];
}

/**
 * Filters over the whole fleet. What asks for slow facts alone is one scan of the fleet files, which answers in bitmaps of
 * slots; fast facts are looked up in their columns; `all`, `any` and `not` join the bitmaps.
 */
export function fleetQueries(columnar: Columnar, { files, facts }: FleetSources, nowMs: number) {
  const source = { files: { kind: "parquet", columns: FLEET_FILE_COLUMNS, files } } as const;

  const slowAnswers = async (conditions: readonly MeterCondition[]): Promise<readonly SlowAnswer[]> => {
    const parameters: Record<string, string | number> = {};
    const holding = conditions.map((condition, index) => {
      const { sql, parameters: bound } = sqlOf(condition, METER_FIELDS, nowMs, `c${index}_`);
      Object.assign(parameters, bound);
      return `, ${BITS} FILTER (WHERE ${sql})::VARCHAR`;
    });
    const sql = `SELECT segment, ${BITS}::VARCHAR${holding.join("")} FROM (${METERS}) GROUP BY segment ORDER BY segment`;
    const { rows } = await columnar.query({ sql, parameters, sources: source }, SEGMENTS_MAX);
    return rows.map(([segment, all, ...parts]) => ({
      segment: segment as number,
      all: bitmapOf(all as string),
      holding: parts.map((part) => bitmapOf(part as string | undefined)),
    }));
  };

  const members = async (filter: MeterFilter): Promise<readonly SegmentMembers[]> => {
    const condition = conditionOf(filter);
    const parts = slowParts(condition);
    const found: SegmentMembers[] = [];
    for (const piece of piecesOf(await slowAnswers(parts), LOOKED_UP)) {
      const known = isSlow(condition) ? NOTHING_KNOWN : await facts(piece.map(({ segment }) => segment));
      for (const { segment, all, holding } of piece) {
        const slow = new Map(parts.map((part, index) => [part, holding[index] ?? noBits()]));
        const bitmap = within(condition, all, slow, known.get(segment), nowMs);
        if (bitmap.some((octet) => octet !== 0)) found.push({ segment, bitmap });
      }
    }
    return found;
  };

  return {
    /** Slots that match, a bitmap a segment, ascending. */
    members,
    /** How many meters match. */
    count: async (filter: MeterFilter): Promise<number> =>
      (await members(filter)).reduce((sum, { bitmap }) => sum + countOf(bitmap), 0),
    /** Meters that match with all their facts, by segment and slot, after that `cursor`. */
    async rows(
      filter: MeterFilter,
      page: { readonly limit: number; readonly cursor?: string | undefined },
    ): Promise<{ readonly rows: readonly MeterRow[]; readonly cursor?: string }> {
      const places = placesAfter(await members(filter), page.cursor, page.limit + 1);
      const shown = places.slice(0, page.limit);
      const last = shown.at(-1);
      if (last === undefined) return { rows: [] };
      const cells = shown.map(([segment, slot], index) => [segment, slot, index]);
      const answer = await columnar.query(
        {
          sql: `SELECT m.* FROM (${METERS}) m JOIN places USING (segment, slot) ORDER BY places.number`,
          sources: { ...source, places: { kind: "rows", columns: PLACES, rows: cells } },
        },
        page.limit,
      );
      const known = await facts([...new Set(shown.map(([segment]) => segment))]);
      const rows = answer.rows.map((row, index) => {
        const [segment = 0, slot = 0] = shown[index] ?? [];
        return { ...slowRow(answer.columns, row), ...factsRow(factsIn(known, segment), slot, nowMs) };
      });
      return { rows, ...(places.length > shown.length ? { cursor: last.join(".") } : {}) };
    },
  };
}
const PLACES: readonly Column[] = ["segment", "slot", "number"].map((name) => ({ name, type: "integer" }));
/** One text of 1,024 digits a segment: far less to hand over than as many numbers. */
const BITS = `bitstring_agg(slot, 0, ${SEGMENT_SLOTS - 1})`;

const noBits = (): Uint8Array => new Uint8Array(SEGMENT_SLOTS / 8);
function bitmapOf(digits: string | undefined): Uint8Array {
  const bitmap = noBits();
  for (let slot = 0; slot < (digits?.length ?? 0); slot++)
    if (digits?.charCodeAt(slot) === 0x31) bitmap[slot >> 3] = (bitmap[slot >> 3] ?? 0) | (1 << (slot & 7));
  return bitmap;
}

const factsIn = (facts: ReadonlyMap<number, SegmentFacts>, segment: number): SegmentFacts =>
  facts.get(segment) ?? { columns: undefined, missing: undefined };

/** The slots of one segment for which the condition holds. */
function within(
  condition: MeterCondition,
  all: Uint8Array,
  slow: ReadonlyMap<MeterCondition, Uint8Array>,
  facts: SegmentFacts | undefined,
  nowMs: number,
): Uint8Array {
  const known = slow.get(condition);
  if (known !== undefined) return known;
  if (!isLogic(condition)) return fastBits(condition, all, facts, nowMs);
  const [first = noBits(), ...others] = partsOf(condition).map((part) => within(part, all, slow, facts, nowMs));
  if (condition.kind === "not") return all.map((octet, at) => octet & ~(first[at] ?? 0));
  const every = condition.kind === "all";
  return others.reduce(
    (left, right) => left.map((octet, at) => (every ? octet & (right[at] ?? 0) : octet | (right[at] ?? 0))),
    first,
  );
}

function fastBits(
  test: Leaf<MeterField>,
  all: Uint8Array,
  facts: SegmentFacts = { columns: undefined, missing: undefined },
  nowMs: number,
): Uint8Array {
  const read = factReader(test.kind, facts, nowMs);
  const bitmap = noBits();
  const row: { [K in MeterField]?: Fact } = {};
  for (let slot = 0; slot < SEGMENT_SLOTS; slot++) {
    const bit = 1 << (slot & 7);
    if (((all[slot >> 3] ?? 0) & bit) === 0) continue;
    row[test.kind] = read(slot);
    if (evaluate(test, row, nowMs) === true) bitmap[slot >> 3] = (bitmap[slot >> 3] ?? 0) | bit;
  }
  return bitmap;
}

type PlaceAt = readonly [segment: number, slot: number];
function placesAfter(members: readonly SegmentMembers[], cursor: string | undefined, limit: number): PlaceAt[] {
  const [fromSegment = 0, fromSlot = -1] = cursor?.split(".").map(Number) ?? [];
  const places: PlaceAt[] = [];
  for (const { segment, bitmap } of members) {
    if (segment < fromSegment) continue;
    for (const slot of slotsOfBitmap(bitmap)) {
      if (segment === fromSegment && slot <= fromSlot) continue;
      if (places.push([segment, slot]) === limit) return places;
    }
  }
  return places;
}

/** The slow facts of an answer's row under the names that a filter has. */
function slowRow(columns: readonly string[], cells: ColumnarAnswer["rows"][number]): MeterRow {
  const found = new Map(columns.map((name, at) => [name, cells[at] ?? null]));
  const [latitude, longitude] = [found.get("latitude"), found.get("longitude")];
  const place =
    latitude == null || longitude == null ? null : { latitude: Number(latitude), longitude: Number(longitude) };
  const slow = Object.keys(METER_FIELDS).filter((name) => found.has(name));
  return { ...Object.fromEntries(slow.map((name) => [name, found.get(name) as Fact])), place };
}
