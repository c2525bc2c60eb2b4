import { CALLER } from "../../shared/jobs/engine-fixture.ts";
import type { Caller } from "../../shared/jobs/job.ts";
import type { SchedulePorts } from "../../shared/jobs/run-schedules.ts";
import { Schedule } from "../../shared/jobs/schedule.ts";
import type { JobRequest } from "../../shared/jobs/submit-job.ts";
import type { Measurement } from "../../shared/metering/measurement.ts";
import { MeterId } from "../../shared/metering/meter.ts";
import type { Operation } from "../../shared/metering/operation.ts";
import { below, chance } from "../../shared/ports/random.ts";
import type { World } from "./world-ports.ts";

export const START = Date.UTC(2026, 10, 2, 12);
/** Each job asks for a register of its own, so that a session tells for which job it is. */
const ASKED: readonly Measurement[] = [
  "energy.active.import.total",
  "energy.active.export.total",
  "energy.reactive.import.total",
];
const SCHEDULED: Measurement = "demand.active.import.max";
const SCHEDULE_MS = 600_000;
const SCHEDULE_ID = "every-ten-minutes";

/** One request of somebody. */
export interface Ask {
  readonly at: number;
  readonly request: JobRequest;
  /** Absent: the caller of reads. */
  readonly caller?: Caller | undefined;
}

/** How large a world is: so many meters in each of the segments. */
export interface Size {
  readonly segments: readonly number[];
  readonly each: number;
}
export const SMALL: Size = { segments: [0, 65], each: 4 };

export function requests({ random, time }: World, dlms: boolean, { segments, each }: Size): readonly Ask[] {
  const count = 1 + below(random, 3);
  const orders = chance(random, 0.35);
  const together = chance(random, 0.3);
  const first = time.now + below(random, 240_000);
  return Array.from({ length: count }, (_, number): Ask => {
    const later = chance(random, 0.3) ? 1_500_000 : 240_000;
    const at = together ? first + below(random, 300) : time.now + below(random, later);
    const measurement = ASKED[number] ?? ASKED[0];
    const single = chance(random, 0.25);
    const long = chance(random, 0.4);
    const short = chance(random, 0.3);
    const order = !dlms && chance(random, orders ? 0.9 : 0.1);
    const operation: Operation = order
      ? { kind: "resetDemand" }
      : dlms && chance(random, 0.5)
        ? { kind: "readIntervals", range: { from: START - 3_600_000, to: START }, registers: "total" }
        : { kind: "readRegisters", ...(dlms || measurement === undefined ? {} : { measurements: [measurement] }) };
    return {
      at,
      request: {
        operation,
        target: single
          ? { kind: "meters", meterIds: [MeterId.parse(`M-${below(random, segments.length * each)}`)] }
          : { kind: "all" },
        lane: single ? "interactive" : chance(random, 0.5) ? "bulk" : "urgent",
        retry: { passes: 1 + below(random, 3), backoffSeconds: 10 + below(random, 60) },
        deadline:
          at + (long ? 6 * 3_600_000 : short ? 10_000 + below(random, 60_000) : 300_000 + below(random, 1_200_000)),
        ...(order ? { reason: "the billing period is over" } : {}),
        idempotencyKey: `ask ${number}`,
      },
    };
  });
}

export const scheduleAt = ({ time }: World, dlms: boolean): Schedule =>
  Schedule.parse({
    scheduleId: SCHEDULE_ID,
    name: SCHEDULE_ID,
    operation: { kind: "readRegisters", ...(dlms ? {} : { measurements: [SCHEDULED] }) },
    target: { kind: "all" },
    cron: "*/10 * * * *",
    timeZone: "UTC",
    retry: { passes: 2, backoffSeconds: 30 },
    deadlineSeconds: 1200,
    enabled: true,
    caller: CALLER,
    createdAt: time.now,
    nextRunAt: Math.ceil((time.now + 1) / SCHEDULE_MS) * SCHEDULE_MS,
    version: 1,
  });

/** Nothing is made by the schedule from now on. */
export async function endSchedule({ schedules }: SchedulePorts): Promise<void> {
  for (;;) {
    const schedule = await schedules.read(SCHEDULE_ID);
    if (schedule === undefined) throw new Error("the schedule is gone");
    const { nextRunAt: _nextRunAt, ...ended } = schedule;
    if ((await schedules.write(schedule, { ...ended, enabled: false })) === "written") return;
  }
}
