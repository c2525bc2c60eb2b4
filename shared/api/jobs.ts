import { z } from "zod";
import { JobId, JobState, JobTarget, RetryPolicy } from "../jobs/job.ts";
import { Lane } from "../jobs/lane.ts";
import { SLOT_STATES, type SlotState } from "../jobs/slots.ts";
import { FAILURE_REASONS, type FailureReason } from "../metering/failure.ts";
import { Instant } from "./instant.ts";
import { OperationInApi } from "./operation.ts";
import { Cursor, limitUpTo } from "./page.ts";

export const JobPath = z.strictObject({ jobId: JobId });

/** POST /jobs. */
export const JobSubmission = z.strictObject({
  operation: OperationInApi,
  target: JobTarget,
  /** Default: `interactive` for one meter, else `bulk`. */
  lane: Lane.optional(),
  /** Default: in 24 h; in 10 min for one meter of the interactive lane. */
  deadline: Instant.optional(),
  /** Default: 3 passes, 60 s. */
  retry: RetryPolicy.partial().optional(),
  reason: z.string().max(500).optional(),
  /** The same key of the same caller is the same job. */
  idempotencyKey: z.string().min(1).max(128).optional(),
});
export type JobSubmission = z.output<typeof JobSubmission>;

export const JobAccepted = z.strictObject({ jobId: JobId, state: JobState });

export const ProgressInApi = z.strictObject({
  asOf: Instant,
  open: z.int(),
  done: z.int(),
  failed: z.int(),
  expired: z.int(),
  cancelled: z.int(),
  /** Reason → tasks, over failed and expired; open ones under `open:<reason>`. */
  reasons: z.record(z.string(), z.int()),
});

export const JobInApi = z.strictObject({
  jobId: JobId,
  operation: OperationInApi,
  target: JobTarget,
  lane: Lane,
  state: JobState,
  createdAt: Instant,
  deadline: Instant,
  closedAt: Instant.optional(),
  retry: RetryPolicy,
  caller: z.strictObject({ id: z.string(), name: z.string().optional() }),
  reason: z.string().optional(),
  schedule: z.strictObject({ scheduleId: z.string(), runAt: Instant }).optional(),
  slices: z.int().optional(),
  tasks: z.int().optional(),
  rejected: z.array(z.strictObject({ meterId: z.string(), reason: z.string() })).optional(),
  progress: ProgressInApi.optional(),
});

export const JobListQuery = z.strictObject({ limit: limitUpTo(100, 25), cursor: Cursor.optional() });
export const JobList = z.strictObject({ jobs: z.array(JobInApi), cursor: Cursor.optional() });

const TaskState = z.enum(
  SLOT_STATES.filter((state) => state !== "untargeted") as [
    Exclude<SlotState, "untargeted">,
    ...Exclude<SlotState, "untargeted">[],
  ],
);
export const TaskListQuery = z.strictObject({
  state: TaskState.optional(),
  limit: limitUpTo(1000, 100),
  cursor: Cursor.optional(),
});
export const TaskInApi = z.strictObject({
  meterId: z.string(),
  state: TaskState,
  /** The last reason; absent where there is none. */
  reason: z.enum(FAILURE_REASONS as [FailureReason, ...FailureReason[]]).optional(),
  /** Whether another try may help. */
  retry: z.enum(["later", "never"]).optional(),
  /** What to do about the reason. */
  hint: z.string().optional(),
});
export const TaskList = z.strictObject({ tasks: z.array(TaskInApi), cursor: Cursor.optional() });
