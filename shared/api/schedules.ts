import { z } from "zod";
import { JobTarget, RetryPolicy } from "../jobs/job.ts";
import { Lane } from "../jobs/lane.ts";
import { Operation } from "../metering/operation.ts";
import { Instant } from "./instant.ts";

const [ReadRegisters, ReadIntervals, Ping] = Operation.options;

export const ScheduleId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "expected 1 to 64 lower-case letters, digits or '-'");
export const SchedulePath = z.strictObject({ scheduleId: ScheduleId });

/** What a schedule asks at each run; an interval read looks back from the run. */
export const ScheduledOperation = z.discriminatedUnion("kind", [
  ReadRegisters,
  ReadIntervals.omit({ range: true }).extend({
    /** The range ends at the run and is so long, seconds. */
    lastSeconds: z
      .int()
      .min(60)
      .max(40 * 86_400),
  }),
  Ping,
]);

const fields = {
  name: z.string().min(1).max(100),
  operation: ScheduledOperation,
  target: JobTarget,
  /** Five fields: minute, hour, day of month, month, day of week. */
  cron: z.string().min(9).max(120),
  /** IANA name; default `UTC`. A run in a skipped hour happens at its end, once. */
  timeZone: z.string().min(1).max(64).default("UTC"),
  lane: Lane.optional(),
  retry: RetryPolicy.partial().optional(),
  /** How long after its start a run's job may last, seconds; default 24 h. */
  deadlineSeconds: z
    .int()
    .min(60)
    .max(7 * 86_400)
    .optional(),
  enabled: z.boolean().default(true),
};

/** POST /schedules. */
export const ScheduleSubmission = z.strictObject({ ...fields, scheduleId: ScheduleId.optional() });
/** PUT /schedules/{scheduleId}: the whole of it. */
export const ScheduleBody = z.strictObject(fields);

export const ScheduleInApi = z.strictObject({
  ...fields,
  scheduleId: z.string(),
  createdAt: Instant,
  caller: z.strictObject({ id: z.string(), name: z.string().optional() }),
  nextRunAt: Instant.optional(),
  lastRunAt: Instant.optional(),
  lastJobId: z.string().optional(),
});
export const ScheduleList = z.strictObject({ schedules: z.array(ScheduleInApi) });
