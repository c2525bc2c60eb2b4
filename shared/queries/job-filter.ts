import { z } from "zod";
import type { Job } from "../jobs/job.ts";
import type { TaskCounts } from "../jobs/ledger.ts";
import { JOB_FIELDS, type JobField, type JobRow } from "./job-fields.ts";
import { BOUNDS, type Condition, conditionOptions, isBounded } from "./language/condition.ts";

export type JobFilter = Condition<JobField>;

/** Which jobs. */
export const JobFilter: z.ZodType<JobFilter, JobFilter> = z
  .discriminatedUnion("kind", conditionOptions(JOB_FIELDS, "JobCondition"))
  .refine((filter) => isBounded(filter as JobFilter), { message: BOUNDS })
  .meta({ id: "JobFilter" }) as unknown as z.ZodType<JobFilter, JobFilter>;

/** What the job itself says; counts of tasks are read only where they decide. */
export const jobRow = ({
  operation,
  state,
  lane,
  target,
  caller,
  schedule,
  createdAt,
  closedAt,
  tasks,
}: Job): JobRow => ({
  operation: operation.kind,
  state,
  lane,
  target: target.kind,
  caller: [caller.id, ...(caller.name === undefined ? [] : [caller.name])],
  schedule: schedule?.scheduleId ?? null,
  created: createdAt,
  closed: closedAt ?? null,
  tasks: tasks ?? null,
});

/** Undefined: the job is not planned yet, nothing is counted. */
export function countsRow(counts: TaskCounts | undefined): JobRow {
  if (counts === undefined)
    return { open: null, done: null, failed: null, expired: null, cancelled: null, reason: null };
  const { open, done, failed, expired, cancelled, reasons } = counts;
  const reason = Object.keys(reasons).filter((name) => !name.startsWith("open:") && (reasons[name] ?? 0) > 0);
  return { open, done, failed, expired, cancelled, reason };
}
