import type { AccessStore } from "../../shared/jobs/access.ts";
import type { MeterId, Place } from "../../shared/metering/meter.ts";

const placeKey = ({ segment, slot }: Place): string => `${segment}/${slot}`;

/** Whose slots these are, in the order asked; undefined where a slot is nobody's. */
export async function metersAt(
  access: Pick<AccessStore, "readMany">,
  places: readonly Place[],
): Promise<readonly (MeterId | undefined)[]> {
  const bySegment = Map.groupBy(places, ({ segment }) => segment);
  const items = await Promise.all(
    [...bySegment].map(([segment, asked]) => access.readMany(segment, [...new Set(asked.map(({ slot }) => slot))])),
  );
  const found = new Map(items.flat().map((item) => [placeKey(item), item.meterId]));
  return places.map((place) => found.get(placeKey(place)));
}
