import type { RequestSent, ResponseReceived } from "../../shared/api/route.ts";
import type { Routes } from "../../shared/api/routes.ts";

type List = ResponseReceived<Routes["listSchedules"]>;
type Made = ResponseReceived<Routes["createSchedule"]>;

/** Schedules made up for the console: two to begin with, and those that it makes. */
export class FixtureSchedules {
  readonly #now: () => number;
  readonly #schedules: Made[];

  constructor(now: () => number) {
    this.#now = now;
    const began = now();
    this.#schedules = [
      {
        scheduleId: "nightly",
        name: "Nightly profile",
        operation: { kind: "readIntervals", lastSeconds: 86_400, registers: "total" },
        target: { kind: "all" },
        cron: "5 0 * * *",
        timeZone: "Europe/Zurich",
        enabled: true,
        createdAt: new Date(began - 9 * 86_400_000).toISOString(),
        caller: { id: "analyst" },
        nextRunAt: new Date(began + 3_600_000).toISOString(),
      },
      {
        scheduleId: "voltages",
        name: "Voltages by the hour",
        operation: { kind: "readRegisters", measurements: ["voltage.l1.line"] },
        target: { kind: "feeder", feeder: "feeder-3" },
        cron: "0 * * * *",
        enabled: false,
        changed: {
          at: new Date(began - 3_600_000).toISOString(),
          action: "paused",
          by: { id: "supervisor" },
          reason: "feeder works",
        },
        createdAt: new Date(began - 2 * 86_400_000).toISOString(),
        caller: { id: "analyst" },
      },
    ];
  }

  list(): List {
    return { schedules: [...this.#schedules] };
  }

  create(request: RequestSent<Routes["createSchedule"]>): Made {
    const now = this.#now();
    const { name = "", operation = { kind: "readRegisters" }, cron = "0 6 * * *", ...rest } = request;
    const made: Made = {
      ...rest,
      name,
      operation,
      cron,
      scheduleId: `made-${this.#schedules.length}`,
      enabled: true,
      createdAt: new Date(now).toISOString(),
      caller: { id: "analyst" },
      nextRunAt: new Date(now + 3_600_000).toISOString(),
    };
    this.#schedules.push(made);
    return made;
  }

  switch(scheduleId: string, enabled: boolean): Made | undefined {
    const index = this.#schedules.findIndex((schedule) => schedule.scheduleId === scheduleId);
    const was = this.#schedules[index];
    if (was === undefined) return undefined;
    const at = new Date(this.#now()).toISOString();
    const action = enabled ? ("resumed" as const) : ("paused" as const);
    const next: Made = { ...was, enabled, changed: { at, action, by: { id: "analyst" } } };
    this.#schedules[index] = next;
    return next;
  }

  /** One run a day at six; where a calendar is named, every other is skipped or moved by three hours. */
  preview({
    count = 10,
    blackouts,
  }: RequestSent<Routes["previewSchedule"]>): ResponseReceived<Routes["previewSchedule"]> {
    const first = Math.ceil(this.#now() / 86_400_000) * 86_400_000 + 6 * 3_600_000;
    const runs = Array.from({ length: count }, (_, index) => {
      const plannedAt = new Date(first + index * 86_400_000).toISOString();
      const local = plannedAt.slice(0, 16);
      if (blackouts === undefined || index % 2 === 0) return { plannedAt, local, runsAt: plannedAt };
      const blackout = blackouts.calendars[0] ?? "";
      const moved = new Date(Date.parse(plannedAt) + 3 * 3_600_000).toISOString();
      return { plannedAt, local, blackout, ...(blackouts.runs === "move" ? { runsAt: moved } : {}) };
    });
    return { runs };
  }
}
