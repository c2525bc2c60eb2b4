import type { WayIn, WayPermits } from "./way-permits.ts";

/** Permits in memory, with the same conditions as the real ones: for one bridge alone, simulation and tests. */
export function memoryWayPermits(): WayPermits {
  const ways = new Map<string, WayIn>();
  const wayOf = (name: string): WayIn => ways.get(name) ?? { version: 0, leases: {} };
  return {
    read: async (name) => structuredClone(wayOf(name)),
    async writeLeases(name, version, leases) {
      const way = wayOf(name);
      if (way.version !== version) return "conflict";
      ways.set(name, { ...way, version: version + 1, leases: structuredClone(leases) });
      return "written";
    },
    async setLimit(name, limit) {
      const { limit: _limit, ...way } = wayOf(name);
      ways.set(name, { ...way, version: way.version + 1, ...(limit === undefined ? {} : { limit }) });
    },
  };
}
