import { z } from "zod";
import { Operation } from "../metering/operation.ts";
import { Caller, JobTarget, RetryPolicy } from "./job.ts";
import { Lane } from "./lane.ts";
import { TemplateName } from "./schedule-templates.ts";
import { Sla } from "./sla.ts";

const [ReadRegisters, ReadIntervals, Ping, , ReadEvents, ReadVoltage, , , , ReadBilling] = Operation.options;
/** The range ends at the run and is so long, seconds. */
const lastSeconds = z
  .int()
  .min(60)
  .max(40 * 86_400);

/** What a schedule asks at each run; a read of intervals, events or snapshots looks back from the run. */
export const ScheduledOperation = z.discriminatedUnion("kind", [
  ReadRegisters,
  ReadIntervals.omit({ range: true }).extend({ lastSeconds }),
  Ping,
  ReadEvents.omit({ range: true }).extend({ lastSeconds }),
  ReadVoltage,
  ReadBilling.omit({ range: true }).extend({ lastSeconds }),
]);
export type ScheduledOperation = z.infer<typeof ScheduledOperation>;

/** What becomes of a run whose instant lies in a blackout of one of the calendars: skipped, or moved to its end. */
export const Blackouts = z.strictObject({
  calendars: z.array(z.string().min(1).max(64)).min(1).max(10),
  runs: z.enum(["skip", "move"]),
});

/**
 * After a downtime: no run that is more than a few minutes late; the newest of those that were missed (an interval read
 * reaches back over the others); or each of them, the newest so many.
 */
export const CatchUp = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("none") }),
  z.strictObject({ kind: z.literal("last") }),
  z.strictObject({ kind: z.literal("all"), max: z.int().min(1).max(100) }),
]);
export type CatchUp = z.infer<typeof CatchUp>;

/** The last thing that somebody did to a schedule. */
export const ScheduleChange = z.strictObject({
  /** Clock ms. */
  at: z.int(),
  action: z.enum(["changed", "paused", "resumed"]),
  by: z.strictObject({ id: z.string().min(1).max(256), name: z.string().max(256).optional() }),
  reason: z.string().max(500).optional(),
});

/** Recurring work: an item of ours, run by the one tick. Its runs are UTC instants by the rules of its zone. */
export const Schedule = z.strictObject({
  scheduleId: z.string().min(1).max(64),
  name: z.string().min(1).max(100),
  operation: ScheduledOperation,
  target: JobTarget,
  /** Five fields: minute, hour, day of month, month, day of week. */
  cron: z.string().min(9).max(120),
  /** IANA name. */
  timeZone: z.string().min(1).max(64),
  lane: Lane.optional(),
  retry: RetryPolicy.partial().optional(),
  /** How long after its run the job may last, seconds; default 24 h. */
  deadlineSeconds: z.int().min(60).optional(),
  /** Slices of a run start spread over so many seconds. */
  spreadSeconds: z.int().min(0).optional(),
  blackouts: Blackouts.optional(),
  /** Default: `last`. */
  catchUp: CatchUp.optional(),
  /** Each run is judged by it; absent: none is. */
  sla: Sla.optional(),
  /** What it was made of. */
  template: TemplateName.optional(),
  /** False: paused. What would have run meanwhile is not made up for. */
  enabled: z.boolean(),
  /** Whose it is: who made it, with the roles of that time. Its jobs are asked for in this name. */
  caller: Caller,
  changed: ScheduleChange.optional(),
  /** Clock ms, all of them. */
  createdAt: z.int(),
  /** The next run that has not been made yet; absent: never again, or not enabled. */
  nextRunAt: z.int().optional(),
  /** The first planned run that a blackout moved to the next one. */
  makesUpFrom: z.int().optional(),
  lastRunAt: z.int().optional(),
  lastJobId: z.string().optional(),
  /** Why the last run was refused; absent when it was accepted. */
  lastProblem: z.string().max(300).optional(),
  /** Rises with every write. */
  version: z.int().min(1),
});
export type Schedule = z.infer<typeof Schedule>;

/** Schedules as stored. Keys and access patterns live in `functions/adapters/dynamo-schedules.ts`. */
export interface Schedules {
  /** If absent. */
  create(schedule: Schedule): Promise<"created" | "exists">;
  /** Strongly consistent. */
  read(scheduleId: string): Promise<Schedule | undefined>;
  /** By id, ascending. */
  list(): Promise<readonly Schedule[]>;
  /** Conditional on `was.version`; the adapter writes `next` with `was.version + 1`. */
  write(was: Schedule, next: Schedule): Promise<"written" | "conflict">;
  remove(scheduleId: string): Promise<void>;
}
