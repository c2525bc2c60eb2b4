import { z } from "zod";
import { FAILURE_REASONS, type FailureReason } from "../metering/failure.ts";
import { MeterId } from "../metering/meter.ts";
import { Operation } from "../metering/operation.ts";
import { MeterFilter } from "../queries/language/meter-filter.ts";
import { Approval, ApprovalAsked } from "./approval.ts";
import { JobGroupRoute, MemberTarget } from "./group-route.ts";
import { Lane } from "./lane.ts";
import { Sla } from "./sla.ts";

const Name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "expected 1 to 64 letters, digits, '.', '_' or '-'");

const Reason = z.enum(FAILURE_REASONS as [FailureReason, ...FailureReason[]]);

export const JobId = z
  .string()
  .regex(/^[0-9a-z]{26,32}$/)
  .brand<"JobId">();
export type JobId = z.infer<typeof JobId>;

/** What a job is about. Frozen into slices when it is planned. */
export const JobTarget = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("meters"), meterIds: z.array(MeterId).min(1).max(1000) }),
  ...MemberTarget.options,
  /** The members of a group route, asked all at once; those that stay silent are asked by themselves. */
  z.strictObject({ kind: z.literal("groupRoute"), route: Name }),
  /** A stored query by its name; its filter is frozen into the job when that is accepted, its meters when it is planned. */
  z.strictObject({ kind: z.literal("query"), query: Name }),
  /** Meters of which intervals of the UTC day are missing that another read may bring, as the last closing pass has it. */
  z.strictObject({ kind: z.literal("missing"), day: z.iso.date() }),
  /** The tasks of another job that have ended so when this one is planned; `reasons` absent: whatever the reason. */
  z.strictObject({
    kind: z.literal("tasksOf"),
    jobId: JobId,
    states: z
      .array(z.enum(["failed", "expired"]))
      .min(1)
      .max(2)
      .default(["failed", "expired"]),
    reasons: z.array(Reason).min(1).max(FAILURE_REASONS.length).optional(),
  }),
]);
export type JobTarget = z.infer<typeof JobTarget>;

/** A pass is one trip of the slice to a bridge, which itself tries a meter up to three times. */
export const RetryPolicy = z.strictObject({
  /** After so many passes an open slot ends `failed` with its last reason. */
  passes: z.int().min(1).max(100),
  /** Rest before the second pass, seconds; doubles each pass, jittered, at most an hour. */
  backoffSeconds: z.int().min(1).max(3600),
  /**
   * Other numbers of passes for failures of these reasons, fewer or more. Only for failures worth another try: what ends
   * a task at once (`retry: never`, unless the driver says otherwise) ends it all the same.
   */
  byReason: z.partialRecord(Reason, z.strictObject({ passes: z.int().min(1).max(100) })).optional(),
});
export type RetryPolicy = z.infer<typeof RetryPolicy>;

/** Who asked: a person or a machine client, as the token says. */
export const Caller = z.strictObject({
  /** `sub` of a person or `client_id` of a machine. */
  id: z.string().min(1).max(256),
  name: z.string().max(256).optional(),
  roles: z.array(z.string()),
});
export type Caller = z.infer<typeof Caller>;

/**
 * Held until the other job is closed. `done`: and only if each of its tasks ended `done`; else this job is cancelled.
 * `closed`: however they ended.
 */
export const Dependency = z.strictObject({ jobId: JobId, on: z.enum(["closed", "done"]) });
export type Dependency = z.infer<typeof Dependency>;

/** What was done to a job after it was accepted, by whom (`headrace`: by a rule of its own) and why. */
export const JobStep = z.strictObject({
  /** Clock ms. */
  at: z.int(),
  action: z.enum(["paused", "resumed", "cancelled", "dropped"]),
  by: z.strictObject({ id: z.string().min(1).max(256), name: z.string().max(256).optional() }),
  reason: z.string().max(500).optional(),
});
export type JobStep = z.infer<typeof JobStep>;
export const STEPS_MAX = 50;

/** `planning` → `planned` → `running` → `closed`; `paused` and `cancelling` while a slice may still be out. */
export const JobState = z.enum(["planning", "planned", "running", "paused", "cancelling", "closed"]);
export type JobState = z.infer<typeof JobState>;

export const Job = z.strictObject({
  jobId: JobId,
  operation: Operation,
  target: JobTarget,
  lane: Lane,
  state: JobState,
  /** All clock milliseconds. */
  createdAt: z.int(),
  deadline: z.int(),
  closedAt: z.int().optional(),
  retry: RetryPolicy,
  caller: Caller,
  reason: z.string().max(500).optional(),
  /** The frames of its conversations are kept with the evidence. */
  keepFrames: z.boolean().optional(),
  /** Planned at once, sent from then on, clock ms. */
  notBefore: z.int().optional(),
  /** Its slices start spread over so many seconds, each at an instant of its own by hash. */
  spreadSeconds: z.int().min(0).optional(),
  after: Dependency.optional(),
  /** Planned, guarded and looked at as in earnest, but the effect is left out. */
  test: z.literal(true).optional(),
  approval: ApprovalAsked.optional(),
  approvals: z.array(Approval).max(2).optional(),
  /** Of the stored query that it is about, as it was when the job was accepted. */
  filter: MeterFilter.optional(),
  /** Of the group route that it goes by, as it was when the job was accepted. */
  groupRoute: JobGroupRoute.optional(),
  /** The state to which it is resumed. */
  pausedFrom: JobState.optional(),
  /** The last ones. */
  steps: z.array(JobStep).max(STEPS_MAX).optional(),
  /** The schedule and run that made it, with the service level of that time. */
  schedule: z.strictObject({ scheduleId: z.string(), runAt: z.int(), sla: Sla.optional() }).optional(),
  /** Known once planned. */
  slices: z.int().min(0).optional(),
  tasks: z.int().min(0).optional(),
  /** Which of the 64 partitions (segment mod 64) hold slices: bit p of 16 hex digits. Absent: any may. */
  partitions: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .optional(),
  /** Targets that cannot be planned (unknown, retired), with the reason. */
  rejected: z.array(z.strictObject({ meterId: z.string(), reason: z.string() })).optional(),
});
export type Job = z.infer<typeof Job>;
