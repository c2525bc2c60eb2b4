import type { FleetFile, FleetFiles, FleetMark } from "./fleet-files.ts";

/** Marks and pointers in memory, with the same conditions as the real ones. */
export function memoryFleetFiles(): FleetFiles {
  const marks = new Map<number, FleetMark>();
  const files = new Map<number, FleetFile & { readonly lease?: { readonly owner: string; readonly until: number } }>();
  const shown = ({ file, current, previous }: FleetFile): FleetFile => ({
    file,
    ...(current === undefined ? {} : { current }),
    ...(previous === undefined ? {} : { previous }),
  });
  return {
    async mark(segment, at) {
      const there = marks.get(segment);
      marks.set(segment, { segment, changes: (there?.changes ?? 0) + 1, since: there?.since ?? at, at });
    },
    marks: async () => [...marks.values()].sort((left, right) => left.segment - right.segment),
    async clear({ segment, changes }) {
      if (marks.get(segment)?.changes === changes) marks.delete(segment);
    },
    async files() {
      return [...files.values()]
        .filter(({ current }) => current !== undefined)
        .sort((left, right) => left.file - right.file)
        .map(shown);
    },
    async lease(file, owner, now, until) {
      const there = files.get(file) ?? { file };
      if (there.lease !== undefined && there.lease.until > now) return undefined;
      files.set(file, { ...there, lease: { owner, until } });
      return shown(there);
    },
    async publish(file, owner) {
      if (files.get(file.file)?.lease?.owner !== owner) return "lost";
      files.set(file.file, shown(file));
      return "written";
    },
  };
}
