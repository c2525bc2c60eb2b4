import type { Schedule, Schedules } from "./schedule.ts";
import type { ScheduleRun, ScheduleRuns } from "./schedule-runs.ts";

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

/** Their runs in memory. */
export function memoryScheduleRuns(): ScheduleRuns {
  const runs = new Map<string, ScheduleRun>();
  const watched = new Set<string>();
  const nameOf = ({ scheduleId, runAt }: Pick<ScheduleRun, "scheduleId" | "runAt">): string => `${scheduleId}#${runAt}`;
  return {
    async begin(run) {
      if (runs.has(nameOf(run))) return;
      runs.set(nameOf(run), run);
      watched.add(nameOf(run));
    },
    async watched() {
      return [...watched].flatMap((name) => runs.get(name) ?? []);
    },
    async write(run, watch) {
      runs.set(nameOf(run), run);
      if (!watch) watched.delete(nameOf(run));
    },
    async of(scheduleId, limit) {
      const own = [...runs.values()].filter((run) => run.scheduleId === scheduleId);
      return own.sort((left, right) => right.runAt - left.runAt).slice(0, limit);
    },
    async run(scheduleId, runAt) {
      return runs.get(nameOf({ scheduleId, runAt }));
    },
  };
}
