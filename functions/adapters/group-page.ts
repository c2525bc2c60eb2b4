import type { AccessStore } from "../../shared/jobs/access.ts";
import { slotsOfBitmap } from "../../shared/jobs/targets.ts";
import type { MeterId, Place } from "../../shared/metering/meter.ts";
import { countOf, type MemberSet } from "../../shared/registry/member-sets.ts";
import type { Segments } from "../../shared/registry/registry.ts";
import { metersAt } from "./meters-at.ts";

/** Members of a set from where the cursor (`<segment>.<slot>`) says, at most `limit`. */
export async function groupPage(
  ports: { readonly segments: Pick<Segments, "members">; readonly access: Pick<AccessStore, "readMany"> },
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

/** How many meters a set has. */
export async function sizeOf(segments: Pick<Segments, "members">, set: MemberSet): Promise<number> {
  let size = 0;
  for await (const { bitmap } of segments.members(set)) size += countOf(bitmap);
  return size;
}
