import type { LakeFile, LakePointers } from "./lake-files.ts";
import { DIRTY, type LakeMark, type LakeMarks } from "./lake-marks.ts";

/** Marks in memory, with the same conditions as the real ones. */
export function memoryLakeMarks(): LakeMarks {
  const marks = new Map<string, LakeMark>();
  const keyOf = (segment: number, day: number): string => `${segment}#${day}`;
  return {
    read: async (segment, day) => marks.get(keyOf(segment, day)),
    async mark(segment, day) {
      marks.set(keyOf(segment, day), { segment, day, state: DIRTY });
    },
    async *list() {
      yield* [...marks.values()];
    },
    async take({ segment, day, state }, token) {
      if (marks.get(keyOf(segment, day))?.state !== state) return false;
      marks.set(keyOf(segment, day), { segment, day, state: token });
      return true;
    },
    async clear({ segment, day }, token) {
      if (marks.get(keyOf(segment, day))?.state === token) marks.delete(keyOf(segment, day));
    },
  };
}

/** Pointers in memory, likewise. */
export function memoryLakePointers(): LakePointers {
  const files = new Map<string, LakeFile>();
  return {
    read: async (day, file) => files.get(`${day}#${file}`),
    ofDay: async (day) =>
      [...files.values()].filter((one) => one.day === day).sort((left, right) => left.file - right.file),
    async write(file, was) {
      const key = `${file.day}#${file.file}`;
      if ((files.get(key)?.version ?? 0) !== was) return "conflict";
      files.set(key, { ...file, version: was + 1 });
      return "written";
    },
  };
}
