import type { MeterId } from "../metering/meter.ts";
import { Operation } from "../metering/operation.ts";
import type { Crypto } from "../ports/crypto.ts";
import { toHex } from "../ports/octets.ts";
import type { Random } from "../ports/random.ts";
import { type Caller, type Job, type JobId, type JobState, JobTarget, type RetryPolicy } from "./job.ts";
import { requestedJobId, scheduledJobId } from "./job-id.ts";
import type { Lane } from "./lane.ts";
import type { Planner } from "./lanes.ts";
import { type PlanPorts, planJob } from "./plan-job.ts";

export interface SubmitPorts extends PlanPorts {
  readonly planner: Planner;
  readonly crypto: Crypto;
  readonly random: Random;
}

/** What somebody asks for; instants are clock ms. */
export interface JobRequest {
  readonly operation: Operation;
  readonly target: JobTarget;
  readonly lane?: Lane | undefined;
  readonly deadline?: number | undefined;
  readonly retry?: { readonly [K in keyof RetryPolicy]?: RetryPolicy[K] | undefined } | undefined;
  readonly reason?: string | undefined;
  /** The same key of the same caller is the same job. */
  readonly idempotencyKey?: string | undefined;
}

/** The run of a schedule that asks. */
export interface ScheduleRun {
  readonly scheduleId: string;
  readonly createdAt: number;
  readonly runAt: number;
}

export type RefusedJob = {
  readonly kind: "refused";
  readonly because:
    | "unknown-meter"
    | "unknown-target"
    | "deadline-passed"
    | "lane-not-allowed"
    | "idempotency-conflict";
  /** The field of the request, dotted, and what was expected there. */
  readonly field: string;
  readonly expected: string;
  readonly received?: string;
};
export type SubmitOutcome = { readonly kind: "accepted"; readonly jobId: JobId; readonly state: JobState } | RefusedJob;

export const DEFAULT_RETRY: RetryPolicy = { passes: 3, backoffSeconds: 60 };
const DAY_MS = 86_400_000;
const INTERACTIVE_MS = 600_000;

const oneMeter = (target: JobTarget): MeterId | undefined =>
  target.kind === "meters" && new Set(target.meterIds).size === 1 ? target.meterIds[0] : undefined;

const refused = (because: RefusedJob["because"], field: string, expected: string, received?: string): RefusedJob => ({
  kind: "refused",
  because,
  field,
  expected,
  ...(received === undefined ? {} : { received }),
});

/** The request with every default filled in. */
function jobOf(jobId: JobId, caller: Caller, request: JobRequest, now: number, run?: ScheduleRun): Job {
  const single = oneMeter(request.target) !== undefined;
  const lane = request.lane ?? (single ? "interactive" : "bulk");
  const { passes = DEFAULT_RETRY.passes, backoffSeconds = DEFAULT_RETRY.backoffSeconds } = request.retry ?? {};
  return {
    jobId,
    operation: request.operation,
    target: request.target,
    lane,
    state: "planning",
    createdAt: now,
    deadline: request.deadline ?? now + (single && lane === "interactive" ? INTERACTIVE_MS : DAY_MS),
    retry: { passes, backoffSeconds },
    caller,
    ...(request.reason === undefined ? {} : { reason: request.reason }),
    ...(run === undefined ? {} : { schedule: { scheduleId: run.scheduleId, runAt: run.runAt } }),
  };
}

async function refusalOf(ports: SubmitPorts, job: Job): Promise<RefusedJob | undefined> {
  const { target, lane } = job;
  if (job.deadline <= job.createdAt)
    return refused("deadline-passed", "deadline", "an instant in the future", new Date(job.deadline).toISOString());
  if (lane === "commands")
    return refused("lane-not-allowed", "lane", "a lane other than commands, which carries orders only", lane);
  if (lane === "interactive" && oneMeter(target) === undefined)
    return refused("lane-not-allowed", "lane", "urgent, bulk or images for more than one meter", lane);
  if (target.kind === "meters") {
    const places = await ports.targets.places([...new Set(target.meterIds)]);
    if (places.size > 0) return undefined;
    return refused("unknown-meter", "target.meterIds", "at least one enrolled meter", target.meterIds[0]);
  }
  for await (const _segment of ports.targets.members(target)) return undefined;
  return refused("unknown-target", "target", `a ${target.kind === "all" ? "fleet" : target.kind} with enrolled meters`);
}

/** What a job asks, without what was filled in, as comparable text (the schemas give their fields an order). */
const asks = ({ operation, target, lane, retry, reason }: Job): string =>
  JSON.stringify([
    Operation.parse(operation),
    JobTarget.parse(target),
    lane,
    retry.passes,
    retry.backoffSeconds,
    reason,
  ]);

/**
 * Accepts a job or says why not; throws only what a port throws. A repeated request (same caller and key, or the same
 * run of a schedule) answers with the job that is there. A job of one meter is planned here; the planner plans others.
 */
export async function submitJob(
  ports: SubmitPorts,
  caller: Caller,
  request: JobRequest,
  run?: ScheduleRun,
): Promise<SubmitOutcome> {
  const key = request.idempotencyKey ?? toHex(ports.random.octets(16));
  const jobId =
    run === undefined
      ? requestedJobId(ports.crypto, caller.id, key)
      : scheduledJobId(ports.crypto, run.scheduleId, run.createdAt, run.runAt);
  const job = jobOf(jobId, caller, request, ports.clock.now(), run);
  const existing = await ports.ledger.job(jobId);
  if (existing === undefined) {
    const refusal = await refusalOf(ports, job);
    if (refusal !== undefined) return refusal;
    if ((await ports.ledger.createJob(job)) === "created") return started(ports, job);
  }
  const there = existing ?? (await ports.ledger.job(jobId)) ?? job;
  if (run === undefined && asks(there) !== asks(job))
    return refused("idempotency-conflict", "idempotencyKey", "a key that was not used for another request", key);
  return there.state === "planning" ? started(ports, there) : { kind: "accepted", jobId, state: there.state };
}

async function started(ports: SubmitPorts, job: Job): Promise<SubmitOutcome> {
  const { jobId } = job;
  if (oneMeter(job.target) !== undefined) return { kind: "accepted", jobId, state: (await planJob(ports, job)).state };
  await ports.planner.start(jobId);
  return { kind: "accepted", jobId, state: job.state };
}
