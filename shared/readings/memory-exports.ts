import type { Delivered, ExportedFile, ExportState, ExportStore } from "./exports.ts";

/** Exports in memory, with the same conditions as the real ones. */
export function memoryExports(): ExportStore {
  const states = new Map<string, ExportState>();
  const files = new Map<string, Map<string, ExportedFile>>();
  const delivered = new Map<string, Delivered>();
  return {
    async create(state) {
      if (states.has(state.exportId)) return false;
      states.set(state.exportId, state);
      return true;
    },
    read: async (exportId) => states.get(exportId),
    async write(was, change) {
      if (states.get(was.exportId)?.version !== was.version) return false;
      states.set(was.exportId, { ...was, ...change, version: was.version + 1 });
      return true;
    },
    list: async (limit) => [...states.values()].sort((left, right) => right.createdAt - left.createdAt).slice(0, limit),
    async keepFile(exportId, file) {
      files.set(exportId, (files.get(exportId) ?? new Map()).set(`${file.day}#${file.file}`, file));
    },
    files: async (exportId) => [...(files.get(exportId)?.values() ?? [])],
    delivered: async (day, file) => delivered.get(`${day}#${file}`),
    async deliver(day, file, what) {
      delivered.set(`${day}#${file}`, what);
    },
  };
}
