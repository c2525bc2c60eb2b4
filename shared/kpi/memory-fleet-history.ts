import type { CountedFleet, FleetHistory } from "./fleet-history.ts";

/** Counts of the fleet in memory, with the same conditions as the real ones. */
export function memoryFleetHistory(): FleetHistory {
  const days = new Map<number, CountedFleet>();
  let latest: CountedFleet | undefined;
  return {
    latest: async () => latest,
    async writeLatest(counted) {
      latest = counted;
    },
    async days(from, to) {
      return [...days]
        .filter(([day]) => day >= from && day <= to)
        .sort(([left], [right]) => left - right)
        .map(([day, counted]) => ({ ...counted, day }));
    },
    async addDay(day, counted) {
      if (!days.has(day)) days.set(day, counted);
    },
  };
}
