import type { Schedule, Schedules } from "./schedule.ts";

/** Schedules in memory, with the same conditions as the real ones: for simulation and for tests. */
export function memorySchedules(): Schedules {
  const schedules = new Map<string, Schedule>();
  return {
    async create(schedule) {
      if (schedules.has(schedule.scheduleId)) return "exists";
      schedules.set(schedule.scheduleId, structuredClone(schedule));
      return "created";
    },
    async read(scheduleId) {
      return structuredClone(schedules.get(scheduleId));
    },
    async list() {
      return structuredClone([...schedules.values()]).sort((left, right) =>
        left.scheduleId < right.scheduleId ? -1 : 1,
      );
    },
    async write(was, next) {
      if (schedules.get(was.scheduleId)?.version !== was.version) return "conflict";
      schedules.set(was.scheduleId, structuredClone({ ...next, version: was.version + 1 }));
      return "written";
    },
    async remove(scheduleId) {
      schedules.delete(scheduleId);
    },
  };
}
