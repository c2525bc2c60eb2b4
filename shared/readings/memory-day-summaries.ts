import type { DaySummaries, DaySummary } from "./close-days.ts";

/** Summaries of days in memory, with the same conditions as the real ones. */
export function memoryDaySummaries(): DaySummaries {
  const summaries = new Map<number, DaySummary>();
  return {
    async list(from, to) {
      return [...summaries.values()]
        .filter(({ day }) => day >= from && day <= to)
        .sort((left, right) => left.day - right.day);
    },
    async write(summary, was) {
      if ((summaries.get(summary.day)?.version ?? 0) !== was) return "conflict";
      summaries.set(summary.day, { ...summary, version: was + 1 });
      return "written";
    },
  };
}
