import { z } from "zod";
import { Calendar } from "../jobs/calendar.ts";
import { JobTarget, RetryPolicy } from "../jobs/job.ts";
import { Lane } from "../jobs/lane.ts";
import { Blackouts, CatchUp, ScheduleChange, ScheduledOperation } from "../jobs/schedule.ts";
import { IntervalCounts, ScheduleRun } from "../jobs/schedule-runs.ts";
import { TemplateName } from "../jobs/schedule-templates.ts";
import { Sla } from "../jobs/sla.ts";
import { Instant } from "./instant.ts";
import { limitUpTo, Name } from "./page.ts";

export const ScheduleId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "expected 1 to 64 lower-case letters, digits or '-'");
export const SchedulePath = z.strictObject({ scheduleId: ScheduleId });

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
  /** Slices of a run start spread over so many seconds; default 0. */
  spreadSeconds: z.int().min(0).max(21_600).optional(),
  blackouts: Blackouts.optional(),
  /** Default: `last`. */
  catchUp: CatchUp.optional(),
  /**
   * Each run is judged by it: this share of the intervals that it asks for, or of its tasks where it asks for no intervals,
   * is there so many seconds after its instant. Judged to the minute; see
   * `GET /schedules/{scheduleId}/results`.
   */
  sla: Sla.optional(),
  /** What it was made of; says nothing more once it is made. */
  template: TemplateName.optional(),
  enabled: z.boolean().default(true),
};

/** POST /schedules. With a template, what is left out is as the template has it (`GET /schedule-templates`). */
export const ScheduleSubmission = z
  .strictObject({
    ...fields,
    name: fields.name.optional(),
    operation: fields.operation.optional(),
    cron: fields.cron.optional(),
    scheduleId: ScheduleId.optional(),
  })
  .superRefine((submission, context) => {
    if (submission.template !== undefined) return;
    for (const field of ["name", "operation", "cron"] as const)
      if (submission[field] === undefined)
        context.addIssue({ code: "custom", path: [field], message: "expected a value, or a template" });
  });
/** PUT /schedules/{scheduleId}: the whole of it. */
export const ScheduleBody = z.strictObject(fields);

export const ScheduleInApi = z.strictObject({
  ...fields,
  scheduleId: z.string(),
  createdAt: Instant,
  caller: z.strictObject({ id: z.string(), name: z.string().optional() }),
  changed: ScheduleChange.extend({ at: Instant }).optional(),
  nextRunAt: Instant.optional(),
  lastRunAt: Instant.optional(),
  lastJobId: z.string().optional(),
  lastProblem: z.string().optional(),
  /** Of the last run, where the schedule has a service level. */
  lastResult: z.strictObject({ runAt: Instant, state: z.enum(["open", "met", "missed"]) }).optional(),
});
/** GET /schedules/{scheduleId}/results: runs of a schedule with a service level, newest first. */
export const ScheduleResults = z.strictObject({
  results: z.array(
    ScheduleRun.omit({ scheduleId: true, under: true }).extend({
      runAt: Instant,
      dueAt: Instant,
      /** When it was known. */
      decidedAt: Instant.optional(),
      /** Of a missed one: when the share was reached after all. */
      reachedAt: Instant.optional(),
      /** Tasks as they stood then; the tasks themselves: `GET /jobs/{jobId}/tasks`. */
      counts: z
        .strictObject({
          asOf: Instant,
          tasks: z.int(),
          done: z.int(),
          open: z.int(),
          failed: z.int(),
          expired: z.int(),
          cancelled: z.int(),
        })
        .optional(),
      /** Of a read of intervals: those as they stood then, by which it was judged. */
      intervals: IntervalCounts.optional(),
    }),
  ),
});
export const ResultsQuery = z.strictObject({ limit: limitUpTo(100, 30) });

/** GET /schedule-templates. */
export const TemplateList = z.strictObject({
  templates: z.array(
    z.strictObject({
      template: TemplateName,
      about: z.string(),
      operation: ScheduledOperation,
      cron: z.string(),
      lane: Lane,
      retry: RetryPolicy.partial(),
      deadlineSeconds: z.int(),
      spreadSeconds: z.int(),
      catchUp: CatchUp,
      sla: Sla,
    }),
  ),
});

export const ScheduleList = z.strictObject({ schedules: z.array(ScheduleInApi) });

export const RunsQuery = z.strictObject({ count: limitUpTo(100, 10) });
/** POST /schedules/preview: of a schedule that is not saved. */
export const SchedulePreview = z.strictObject({
  cron: fields.cron,
  timeZone: fields.timeZone,
  blackouts: fields.blackouts,
  count: z.int().min(1).max(100).default(10),
});
export const RunList = z.strictObject({
  runs: z.array(
    z.strictObject({
      /** By the recurrence. */
      plannedAt: Instant,
      /** What the clock of the schedule's zone shows then: YYYY-MM-DDTHH:MM. */
      local: z.string(),
      /** When it runs; absent: a blackout skips it. */
      runsAt: Instant.optional(),
      /** The calendar that skips or moves it. */
      blackout: z.string().optional(),
    }),
  ),
});

export const CalendarPath = z.strictObject({ calendar: Name });
/** PUT /calendars/{calendar}: the whole of it. */
export const CalendarBody = Calendar.omit({ name: true });
export const CalendarInApi = Calendar;
export const CalendarList = z.strictObject({ calendars: z.array(Calendar) });
