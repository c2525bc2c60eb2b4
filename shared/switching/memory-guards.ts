import type { GuardStore, StoredGuard } from "./guard-desk.ts";

/** Guards in memory, for simulation and tests; each call is one atomic step. */
export function memoryGuards(): GuardStore {
  const guards = new Map<string, StoredGuard>();
  const at = (name: string): StoredGuard => guards.get(name) ?? { version: 0, reservations: [] };
  return {
    read: async (names) => new Map(names.map((name) => [name, at(name)])),
    async write(name, version, reservations) {
      if (at(name).version !== version) return "conflict";
      guards.set(name, { version: version + 1, reservations });
      return "written";
    },
  };
}
