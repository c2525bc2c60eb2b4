import type { MeterTariff, MeterTariffs } from "./meter-tariffs.ts";

/** What meters hold of tariffs, in memory. */
export function memoryMeterTariffs(): MeterTariffs {
  const facts = new Map<string, MeterTariff>();
  const keyOf = ({ segment, slot }: { segment: number; slot: number }): string =>
    `${String(segment).padStart(6, "0")}#${String(slot).padStart(4, "0")}`;
  return {
    async note(fact) {
      const was = facts.get(keyOf(fact));
      if (was !== undefined && was.seenAt > fact.seenAt) return;
      facts.set(keyOf(fact), { ...(was?.ordered && { ordered: was.ordered }), ...fact });
    },
    async of(place) {
      return facts.get(keyOf(place));
    },
    async page(limit, cursor = "") {
      const keys = [...facts.keys()].filter((key) => key > cursor).sort();
      const page = keys.slice(0, limit);
      const last = page.at(-1);
      return {
        facts: page.flatMap((key) => facts.get(key) ?? []),
        ...(keys.length > limit && last !== undefined ? { cursor: last } : {}),
      };
    },
  };
}
