import { eachOf } from "../jobs/concurrency.ts";
import { Memberships, type MeterId } from "../metering/meter.ts";
import { HeadraceError } from "../ports/errors.ts";
import { groupSet } from "./member-sets.ts";
import type { FieldProblem, RegisteredMeter } from "./registered-meter.ts";
import type { Registry, Segments } from "./registry.ts";

export interface Group {
  readonly name: string;
  readonly description?: string;
  /** Rises when members change. */
  readonly changes: number;
  readonly counted?: GroupCount;
}

/** How many members a group had at an instant. */
export interface GroupCount {
  readonly meters: number;
  /** Clock ms. */
  readonly at: number;
  /** The group's `changes` from before the count. */
  readonly changes: number;
}

/** The names of groups; who is in them is a set of `Segments`. */
export interface Groups {
  /** If absent. True: made. */
  create(name: string): Promise<boolean>;
  describe(name: string, description: string): Promise<void>;
  /** Members have changed: after their sets were written. */
  noteChange(name: string): Promise<void>;
  keepCount(name: string, count: GroupCount): Promise<void>;
  /** Strongly consistent. */
  read(name: string): Promise<Group | undefined>;
  list(): Promise<readonly Group[]>;
}

export interface GroupPorts {
  readonly registry: Pick<Registry, "meters" | "writeMeter">;
  readonly segments: Pick<Segments, "changeMembers">;
  readonly groups: Groups;
}

export interface GroupChange {
  readonly group: string;
  readonly description?: string | undefined;
  readonly add: readonly MeterId[];
  readonly remove: readonly MeterId[];
}

export type GroupOutcome = { readonly kind: "changed" } | ({ readonly kind: "refused" } & FieldProblem);

const GROUPS_MAX = 16;
const WRITES_MAX = 16;
const TRIES = 5;

/**
 * Makes a group, puts meters into it and takes meters out: name → meters → set, each if it is not so yet, so that the
 * same call again finishes what was interrupted. Nothing is written when one of the meters cannot be a member.
 */
export async function changeGroup(ports: GroupPorts, change: GroupChange): Promise<GroupOutcome> {
  const { group, description, add, remove } = change;
  const meters = await ports.registry.meters([...new Set([...add, ...remove])]);
  const problem = problemOf(change, meters);
  if (problem !== undefined) return { kind: "refused", ...problem };
  await ports.groups.create(group);
  if (description !== undefined) await ports.groups.describe(group, description);
  await eachOf(meters.values(), WRITES_MAX, (meter) => regroup(ports, meter, group, add.includes(meter.meter.meterId)));
  const bySegment = Map.groupBy(meters.values(), ({ place }) => place.segment);
  await eachOf(bySegment, WRITES_MAX, async ([segment, placed]) => {
    const slots = (meterIds: readonly MeterId[]): number[] =>
      placed.flatMap(({ meter, place }) => (meterIds.includes(meter.meterId) ? [place.slot] : []));
    await ports.segments.changeMembers(groupSet(group), segment, slots(add), slots(remove));
  });
  return { kind: "changed" };
}

function problemOf(
  { group, add, remove }: GroupChange,
  meters: ReadonlyMap<MeterId, RegisteredMeter>,
): FieldProblem | undefined {
  for (const [field, meterIds] of [
    ["add", add],
    ["remove", remove],
  ] as const)
    for (const [index, meterId] of meterIds.entries()) {
      const meter = meters.get(meterId);
      if (meter?.state !== "enrolled")
        return { field: `${field}.${index}`, expected: "a meter that is enrolled", received: meterId };
      const { groups } = meter.meter.memberships;
      if (field === "add" && !groups.includes(group) && groups.length >= GROUPS_MAX)
        return { field: `add.${index}`, expected: `a meter of fewer than ${GROUPS_MAX} groups`, received: meterId };
      if (field === "remove" && add.includes(meterId))
        return { field: `remove.${index}`, expected: "a meter that is not added by the same call", received: meterId };
    }
  return undefined;
}

async function regroup(ports: GroupPorts, given: RegisteredMeter, group: string, member: boolean): Promise<void> {
  let was = given;
  for (let tries = 0; tries < TRIES; tries++) {
    const { groups } = was.meter.memberships;
    if (groups.includes(group) === member) return;
    const memberships = Memberships.parse({
      ...was.meter.memberships,
      groups: member ? [...groups, group] : groups.filter((name) => name !== group),
    });
    const next = { ...was, meter: { ...was.meter, memberships } };
    if ((await ports.registry.writeMeter(was, next)) === "written") return;
    was = (await ports.registry.meters([was.meter.meterId])).get(was.meter.meterId) ?? was;
  }
  throw new HeadraceError("registry.contended", `expected ${given.meter.meterId} to be left alone`, { retry: "later" });
}
