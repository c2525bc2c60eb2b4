import { SINGLE_MAX, type StormName, type StormPart, type Storms, stormIdOf } from "./storm.ts";

/** Storms in memory, with the conditions of the real ones: for tests. */
export function memoryStorms(): Storms {
  const counts = new Map<string, { total: number; readonly notices: Set<string> }>();
  const parts = new Map<string, Map<string, StormPart & { readonly told: boolean }>>();
  const names = new Map<string, StormName>();
  const keyOf = ({ subscriptionId, stormId }: Pick<StormName, "subscriptionId" | "stormId">): string =>
    `${subscriptionId}#${stormId}`;
  return {
    async admit(likeness, noticeId, count) {
      const key = stormIdOf(likeness);
      const known = counts.get(key) ?? { total: 0, notices: new Set<string>() };
      counts.set(key, known);
      if (known.notices.has(noticeId)) return true;
      if (count > SINGLE_MAX || known.total >= SINGLE_MAX) return false;
      known.total += count;
      known.notices.add(noticeId);
      return true;
    },
    async keep(part) {
      const { subscriptionId, minute, noticeId } = part;
      const name = { subscriptionId, stormId: stormIdOf(part), minute };
      const of = parts.get(keyOf(name)) ?? new Map<string, StormPart & { readonly told: boolean }>();
      parts.set(keyOf(name), of);
      if (!of.has(noticeId)) of.set(noticeId, { ...part, told: false });
      names.set(keyOf(name), { ...name, version: (names.get(keyOf(name))?.version ?? 0) + 1 });
    },
    untold: async (before) => [...names.values()].filter(({ minute }) => minute < before),
    parts: async (name, after, limit) =>
      [...(parts.get(keyOf(name))?.values() ?? [])]
        .filter(({ noticeId }) => noticeId > after)
        .sort((left, right) => (left.noticeId < right.noticeId ? -1 : 1))
        .slice(0, limit),
    async markTold(name, noticeIds) {
      const of = parts.get(keyOf(name));
      for (const noticeId of noticeIds) {
        const part = of?.get(noticeId);
        if (part !== undefined) of?.set(noticeId, { ...part, told: true });
      }
    },
    async dropName(name) {
      if (names.get(keyOf(name))?.version === name.version) names.delete(keyOf(name));
    },
  };
}
