import type { SegmentMembers } from "../jobs/targets.ts";
import { ALL, type MemberSet } from "../registry/member-sets.ts";
import type { Segments } from "../registry/registry.ts";
import { isLogic, partsOf, testsIn } from "./language/condition.ts";
import { conditionOf, type MeterCondition, type MeterFilter } from "./language/meter-filter.ts";

/** What member sets answer, without a look at the meters. */
const SET_FIELDS = ["group", "feeder", "transformer", "collector"] as const;
type SetField = (typeof SET_FIELDS)[number];
const isSetField = (kind: string): kind is SetField => (SET_FIELDS as readonly string[]).includes(kind);

type Bitmaps = ReadonlyMap<number, Uint8Array>;

/** The meters that match, by member sets alone, ascending by segment; undefined: the filter asks for more than they know. */
export async function membersBySets(
  segments: Pick<Segments, "members">,
  filter: MeterFilter,
): Promise<readonly SegmentMembers[] | undefined> {
  const condition = conditionOf(filter);
  if (!testsIn(condition).every(({ kind, in: values }) => isSetField(kind) && values !== undefined)) return undefined;
  const read = async (set: MemberSet): Promise<Bitmaps> => {
    const found = new Map<number, Uint8Array>();
    for await (const { segment, bitmap } of segments.members(set)) found.set(segment, bitmap);
    return found;
  };
  return [...(await within(condition, read))]
    .filter(([, bitmap]) => bitmap.some((octet) => octet !== 0))
    .sort(([left], [right]) => left - right)
    .map(([segment, bitmap]) => ({ segment, bitmap }));
}

async function within(condition: MeterCondition, read: (set: MemberSet) => Promise<Bitmaps>): Promise<Bitmaps> {
  if (!isLogic(condition)) {
    const kind = condition.kind as SetField;
    const sets = await Promise.all([...new Set(condition.in)].map((name) => read({ kind, name })));
    return sets.reduce(either, new Map());
  }
  const [first = new Map(), ...others] = await Promise.all(partsOf(condition).map((part) => within(part, read)));
  if (condition.kind === "not") return without(await read(ALL), first);
  return others.reduce(condition.kind === "all" ? both : either, first);
}

const merged = (
  segments: Iterable<number>,
  left: Bitmaps,
  right: Bitmaps,
  join: (left: number, right: number) => number,
): Bitmaps => {
  const none = new Uint8Array(128);
  return new Map(
    [...segments].map((segment) => {
      const other = right.get(segment) ?? none;
      return [segment, (left.get(segment) ?? none).map((octet, at) => join(octet, other[at] ?? 0))];
    }),
  );
};
const either = (left: Bitmaps, right: Bitmaps): Bitmaps =>
  merged(new Set([...left.keys(), ...right.keys()]), left, right, (one, other) => one | other);
const both = (left: Bitmaps, right: Bitmaps): Bitmaps => merged(left.keys(), left, right, (one, other) => one & other);
const without = (left: Bitmaps, right: Bitmaps): Bitmaps =>
  merged(left.keys(), left, right, (one, other) => one & ~other);
