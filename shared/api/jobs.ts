import { z } from "zod";
import { SwitchStory } from "../events/timeline.ts";
import { Approval, ApprovalAsked } from "../jobs/approval.ts";
import { JobGroupRoute } from "../jobs/group-route.ts";
import { Dependency, JobId, JobState, JobStep, JobTarget, RetryPolicy } from "../jobs/job.ts";
import { Lane } from "../jobs/lane.ts";
import { SLOT_STATES, type SlotState } from "../jobs/slots.ts";
import { FAILURE_REASONS, type FailureReason } from "../metering/failure.ts";
import { MeterFilter } from "../queries/language/meter-filter.ts";
import { Instant } from "./instant.ts";
import { OfferedOperation } from "./operation.ts";
import { Cursor, limitUpTo } from "./page.ts";

const Reason = z.enum(FAILURE_REASONS as [FailureReason, ...FailureReason[]]);
const Why = z.string().max(500);
const IdempotencyKey = z.string().min(1).max(128);

export const JobPath = z.strictObject({ jobId: JobId });

/** POST /jobs. */
export const JobSubmission = z.strictObject({
  operation: OfferedOperation,
  target: JobTarget,
  /**
   * Default: `interactive` for one meter; `urgent` for tasks of another job, and for some meters with a deadline within
   * four hours; else `bulk`. Orders to switches: `commands`, always.
   */
  lane: Lane.optional(),
  /** Planned now, sent from then on; at most 35 days ahead. */
  notBefore: Instant.optional(),
  /** Slices start spread over so many seconds. */
  spreadSeconds: z.int().min(0).max(21_600).optional(),
  /**
   * Held until another job is closed; `on: "done"`: and cancelled when not every task of that job ended done. The
   * deadline counts from now, or from notBefore.
   */
  after: Dependency.optional(),
  /** Default: 24 h after its last slice starts; 10 min for one meter of the interactive lane, and for orders to switches. */
  deadline: Instant.optional(),
  /** Default: 3 passes, 60 s. */
  retry: RetryPolicy.partial().optional(),
  /** Why it is asked. */
  reason: Why.optional(),
  /**
   * Keep what was said on the wire with the evidence (the result batches): of each conversation the first 64 kB. For
   * looking into a few meters, not for a fleet.
   */
  keepFrames: z.boolean().optional(),
  /**
   * Plan, guards and checks as in earnest, at the meter too, but nothing is operated: a task that ends done could have been
   * carried out. Of what has an effect once, and of power limits.
   */
  test: z.boolean().optional(),
  /** The same key of the same caller is the same job. */
  idempotencyKey: IdempotencyKey.optional(),
});
export type JobSubmission = z.output<typeof JobSubmission>;

/** POST /jobs/{jobId}/clone: the same again, for the meters whose tasks failed or expired. */
export const JobClone = z.strictObject({
  /** Default: both. */
  states: z
    .array(z.enum(["failed", "expired"]))
    .min(1)
    .max(2)
    .optional(),
  /** Default: whatever the reason. */
  reasons: z.array(Reason).min(1).max(FAILURE_REASONS.length).optional(),
  lane: Lane.optional(),
  notBefore: Instant.optional(),
  deadline: Instant.optional(),
  /** Default: that of the job. */
  retry: RetryPolicy.partial().optional(),
  reason: Why.optional(),
  idempotencyKey: IdempotencyKey.optional(),
});

/** Body of pause, resume and cancel; may be left out. */
export const Steering = z.strictObject({ reason: Why.optional() }).optional();

/** GET /failures: the words for why a task did not end done. A word is never renamed; new ones may come. */
export const FailureList = z.strictObject({
  failures: z.array(
    z.strictObject({
      reason: Reason,
      /** Whether another try may help, unless the headend knows better in the single case. */
      retry: z.enum(["later", "never"]),
      /** What to do about it. */
      hint: z.string(),
    }),
  ),
});

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
  operation: OfferedOperation,
  target: JobTarget,
  lane: Lane,
  state: JobState,
  createdAt: Instant,
  deadline: Instant,
  closedAt: Instant.optional(),
  retry: RetryPolicy,
  caller: z.strictObject({ id: z.string(), name: z.string().optional() }),
  reason: z.string().optional(),
  keepFrames: z.boolean().optional(),
  test: z.boolean().optional(),
  notBefore: Instant.optional(),
  spreadSeconds: z.int().optional(),
  after: Dependency.optional(),
  /** What it waits for before anything of it is sent (a test would, and does not); `digest`: what an approval binds, while it waits. */
  approval: ApprovalAsked.extend({ lapsesAt: Instant, digest: z.string().optional() }).optional(),
  approvals: z.array(Approval.extend({ at: Instant })).optional(),
  /** Of the stored query, as it was when the job was accepted. */
  filter: MeterFilter.optional(),
  /** Of the group route, as it was when the job was accepted. */
  groupRoute: JobGroupRoute.optional(),
  /** Fan-out points of the group request: how many got it, wait for it, or could not get it. */
  fanOut: z.strictObject({ sent: z.int(), open: z.int(), failed: z.int() }).optional(),
  /** What was done to it since, by whom and why. */
  steps: z.array(JobStep.extend({ at: Instant })).optional(),
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
  reason: Reason.optional(),
  /** Whether another try may help. */
  retry: z.enum(["later", "never"]).optional(),
  /** What to do about the reason. */
  hint: z.string().optional(),
  /** Of an order to its switch: positions and voltages before and after, and how the end is proved. */
  switch: SwitchStory.optional(),
});
export const TaskList = z.strictObject({ tasks: z.array(TaskInApi), cursor: Cursor.optional() });
