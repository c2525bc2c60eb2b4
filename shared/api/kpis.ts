import { z } from "zod";
import { IntervalCounts } from "../jobs/schedule-runs.ts";
import { FAILURE_REASONS, type FailureReason } from "../metering/failure.ts";
import { Instant } from "./instant.ts";
import { MeterFacts } from "./meters.ts";
import { Cursor, limitUpTo } from "./page.ts";

const Reason = z.enum(FAILURE_REASONS as [FailureReason, ...FailureReason[]]);
const WindowName = z.enum(["hour", "day", "week"]);

/** A share of meters; null: of none. */
const Rate = z.strictObject({ part: z.int(), of: z.int(), rate: z.number().min(0).max(1).nullable() });
/** Of all meters, and of those that are neither in maintenance nor were found busy. */
const Rates = z.strictObject({ all: Rate, counted: Rate });

const Communication = z.array(
  Rates.extend({
    window: WindowName,
    /** Meters without an authenticated exchange in the window. */
    silent: z.int(),
  }),
);
const Latency = z.strictObject({
  meters: z.int(),
  p50Ms: z.int().optional(),
  p90Ms: z.int().optional(),
  p95Ms: z.int().optional(),
  p99Ms: z.int().optional(),
});
/** Intervals that the runs of a schedule were to bring, each once, and what became of them. */
const ScheduleIntervals = IntervalCounts.extend({
  /** In time ÷ expected. */
  rate: z.number().min(0).max(1).nullable(),
});
/** Of one UTC day, as its closing pass counted last. */
const ReadDay = z.strictObject({
  day: z.iso.date(),
  countedAt: Instant,
  /** Meters whose due intervals were all there by the deadline, of the meters that were due. */
  read: Rates,
  /** Intervals. */
  expected: z.int(),
  present: z.int(),
  late: z.int(),
  missing: z.int(),
  unaccounted: z.int(),
  completeness: z.number().min(0).max(1).nullable(),
  /** Of it, what schedules that read intervals asked for. Late: by the service level, or after the closing of the day. */
  schedules: z.array(ScheduleIntervals.extend({ scheduleId: z.string() })),
});

export const Kpis = z.strictObject({
  asOf: Instant,
  active: z.int(),
  excluded: z.int(),
  communication: Communication,
  /** From when a read might begin to its result, over the meters that were last read within the day. */
  latency: Latency,
  /** Meters whose last try failed, by reason. */
  exceptions: z.array(z.strictObject({ reason: Reason, meters: z.int(), hint: z.string() })),
  powerOff: z.int(),
  /** Position → meters, of those that were ever looked at. */
  switches: z.record(z.string(), z.int()),
  missingToday: z.int(),
  /** Enrolled meters by kind (`profile`, `route`, `keyVersion`…) and value, as the fleet files have it; absent: none is built yet. */
  mix: z.strictObject({ asOf: Instant, kinds: z.record(z.string(), z.record(z.string(), z.int())) }).optional(),
  /** The last UTC day that was closed. */
  closed: ReadDay.optional(),
  /** The last run of each schedule of the last week. */
  schedules: z.array(
    z.strictObject({
      scheduleId: z.string(),
      jobId: z.string(),
      runAt: Instant,
      operation: z.string(),
      tasks: z.int(),
      done: z.int(),
      open: z.int(),
      rate: z.number().min(0).max(1).nullable(),
      /**
       * Of a run that reads intervals: those as they stand; of a large one, as they stood when it was judged by its service
       * level. Absent: not counted yet.
       */
      intervals: ScheduleIntervals.extend({ asOf: Instant }).optional(),
    }),
  ),
});
export type Kpis = z.output<typeof Kpis>;

/** UTC days; default the last 31. */
export const KpiHistoryQuery = z.strictObject({ from: z.iso.date().optional(), to: z.iso.date().optional() });
export const KpiHistory = z.strictObject({
  asOf: Instant,
  days: z.array(
    z.strictObject({
      day: z.iso.date(),
      /** The fleet as it was counted first after the day. */
      fleet: z
        .strictObject({
          asOf: Instant,
          active: z.int(),
          excluded: z.int(),
          communication: Communication,
          latency: Latency,
          exceptions: z.record(z.string(), z.int()),
        })
        .optional(),
      closed: ReadDay.optional(),
    }),
  ),
});

/** The meters behind a figure. */
export const KPI_LISTS = ["silent", "failed", "power-off", "switch", "missing-today", "excluded", "gaps"] as const;
export const KpiMetersQuery = z
  .strictObject({
    list: z.enum(KPI_LISTS),
    /** Of `silent`. */
    window: WindowName.optional(),
    /** Of `failed`. */
    reason: Reason.optional(),
    /** Of `switch`. */
    position: z.enum(["open", "closed", "armed", "unknown"]).optional(),
    /** Of `gaps`: the UTC day of which intervals are missing. */
    day: z.iso.date().optional(),
    limit: limitUpTo(500, 100),
    cursor: Cursor.optional(),
  })
  .refine(({ list, window }) => list !== "silent" || window !== undefined, {
    message: "expected a window with the list silent",
    path: ["window"],
  })
  .refine(({ list, day }) => list !== "gaps" || day !== undefined, {
    message: "expected a day with the list gaps",
    path: ["day"],
  });
export const KpiMeters = z.strictObject({
  asOf: Instant,
  meters: z.array(z.strictObject({ meterId: z.string(), facts: MeterFacts.optional() })),
  cursor: Cursor.optional(),
});
