import type { SlotOwners } from "../../shared/jobs/access.ts";
import { slotsOfBitmap } from "../../shared/jobs/targets.ts";
import type { MeterId, Place } from "../../shared/metering/meter.ts";
import type { Group, Groups } from "../../shared/registry/change-group.ts";
import { countOf, groupSet, type MemberSet } from "../../shared/registry/member-sets.ts";
import type { Segments } from "../../shared/registry/registry.ts";
import { metersAt } from "./meters-at.ts";

/** Members of a set from where the cursor (`<segment>.<slot>`) says, at most `limit`. */
export async function groupPage(
  ports: { readonly segments: Pick<Segments, "members">; readonly access: SlotOwners },
  set: MemberSet,
  limit: number,
  cursor: string | undefined,
): Promise<{ readonly meterIds: readonly MeterId[]; readonly cursor?: string }> {
  const [fromSegment = 0, fromSlot = 0] = (/^(\d{1,8})\.(\d{1,4})$/.exec(cursor ?? "") ?? []).slice(1).map(Number);
  const places: Place[] = [];
  let next: string | undefined;
  for await (const { segment, bitmap } of ports.segments.members(set, fromSegment)) {
    const slots = slotsOfBitmap(bitmap).filter((slot) => segment > fromSegment || slot >= fromSlot);
    const room = limit - places.length;
    places.push(...slots.slice(0, room).map((slot) => ({ segment, slot })));
    const left = slots[room];
    if (left !== undefined) {
      next = `${segment}.${left}`;
      break;
    }
  }
  const meterIds = (await metersAt(ports.access, places)).flatMap((meterId) => meterId ?? []);
  return { meterIds, ...(next === undefined ? {} : { cursor: next }) };
}

/** A count that no change was noted after is taken for right so long, ms: a note may be lost with its writer. */
const COUNTED_MS = 3_600_000;

/** How many meters a group has: as counted before, unless it has changed; what is counted now is kept. */
export async function groupSize(
  ports: { readonly segments: Pick<Segments, "members">; readonly groups: Pick<Groups, "keepCount"> },
  { name, counted, changes }: Group,
  now: number,
): Promise<{ readonly meters: number; readonly asOf: number }> {
  if (counted !== undefined && counted.changes === changes && now - counted.at < COUNTED_MS)
    return { meters: counted.meters, asOf: counted.at };
  let meters = 0;
  for await (const { bitmap } of ports.segments.members(groupSet(name))) meters += countOf(bitmap);
  await ports.groups.keepCount(name, { meters, at: now, changes });
  return { meters, asOf: now };
}
