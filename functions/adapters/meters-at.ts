import type { SlotOwners } from "../../shared/jobs/access.ts";
import type { MeterId, Place } from "../../shared/metering/meter.ts";

/** Whose slots these are, in the order asked, retired meters too; undefined where a slot is nobody's. */
export async function metersAt(
  access: SlotOwners,
  places: readonly Place[],
): Promise<readonly (MeterId | undefined)[]> {
  const bySegment = Map.groupBy(places, ({ segment }) => segment);
  const owners = new Map(
    await Promise.all(
      [...bySegment].map(async ([segment, asked]) => {
        const slots = [...new Set(asked.map(({ slot }) => slot))];
        return [segment, await access.ownersOf(segment, slots)] as const;
      }),
    ),
  );
  return places.map(({ segment, slot }) => owners.get(segment)?.get(slot));
}
