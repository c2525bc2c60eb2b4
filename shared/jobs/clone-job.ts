import type { FailureReason } from "../metering/failure.ts";
import type { Caller, JobId } from "./job.ts";
import { isOrder } from "./orders.ts";
import { type JobRequest, type RefusedJob, type SubmitOutcome, type SubmitPorts, submitJob } from "./submit-job.ts";

export interface CloneRequest
  extends Pick<JobRequest, "lane" | "deadline" | "retry" | "reason" | "notBefore" | "idempotencyKey"> {
  /** Default: both. */
  readonly states?: readonly ("failed" | "expired")[] | undefined;
  /** Default: all. */
  readonly reasons?: readonly FailureReason[] | undefined;
}

/**
 * A new job that asks the same of the meters whose tasks of the given job have failed or expired, as its slices say now.
 * What is not given is as in that job, but for the deadline and the lane, which are those of a new job. An order keeps its
 * reason unless it gets another one.
 */
export async function cloneJob(
  ports: SubmitPorts,
  caller: Caller,
  jobId: JobId,
  { states, reasons, ...rest }: CloneRequest,
): Promise<SubmitOutcome> {
  const job = await ports.ledger.job(jobId);
  if (job === undefined) {
    const unknown: RefusedJob = {
      kind: "refused",
      because: "unknown-job",
      field: "jobId",
      expected: "the id of a job that is there",
      received: jobId,
    };
    return unknown;
  }
  return submitJob(ports, caller, {
    ...rest,
    operation: job.operation,
    ...(job.keepFrames === true ? { keepFrames: true } : {}),
    ...(job.test === true ? { test: true } : {}),
    ...(rest.reason === undefined && isOrder(job) && job.reason !== undefined ? { reason: job.reason } : {}),
    retry: { ...job.retry, ...rest.retry },
    target: {
      kind: "tasksOf",
      jobId,
      states: [...(states ?? ["failed", "expired"])],
      ...(reasons === undefined ? {} : { reasons: [...reasons] }),
    },
  });
}
