import type { MissingRecord, MissingRecords } from "./missing-records.ts";

/** Missing records in memory, with the same conditions as the real ones. */
export function memoryMissingRecords(): MissingRecords {
  const records = new Map<string, MissingRecord>();
  return {
    async read(segment, day) {
      return records.get(`${segment}#${day}`);
    },
    async write(record, was) {
      const key = `${record.segment}#${record.day}`;
      if ((records.get(key)?.version ?? 0) !== was) return "conflict";
      records.set(key, { ...record, version: was + 1 });
      return "written";
    },
  };
}
