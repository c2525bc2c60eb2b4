import type { ProblemKind } from "../../shared/api/problem.ts";
import { cloneJob } from "../../shared/jobs/clone-job.ts";
import type { Caller, JobId } from "../../shared/jobs/job.ts";
import { type RefusedJob, type SubmitOutcome, submitJob } from "../../shared/jobs/submit-job.ts";
import { mayAsk, maySee } from "../../shared/security/ownership.ts";
import { gateOfEnvironment } from "../adapters/gate-ports.ts";
import { jobPorts } from "../adapters/job-ports.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";

const ports = { ...jobPorts(), gate: gateOfEnvironment() };

const PROBLEM: Readonly<Record<RefusedJob["because"], readonly [ProblemKind, string]>> = {
  "role-not-allowed": ["forbidden", "The caller may only read."],
  "reason-missing": ["unprocessable", "An order needs a reason."],
  "unknown-meter": ["not-found", "No such meter is enrolled."],
  "unknown-target": ["not-found", "The target has no enrolled meters."],
  "unknown-query": ["not-found", "No such query is stored."],
  "unknown-route": ["not-found", "There is no such group route."],
  "not-for-groups": ["unprocessable", "This is not for a group route."],
  "unknown-job": ["not-found", "There is no such job."],
  "no-such-tasks": ["unprocessable", "No task of the job ended so."],
  cycle: ["unprocessable", "The jobs would wait for each other."],
  "too-far-ahead": ["unprocessable", "The job would start too far ahead."],
  "deadline-passed": ["unprocessable", "The deadline has passed."],
  "not-offered": ["unprocessable", "This is not offered here."],
  "not-testable": ["unprocessable", "This has no test mode."],
  "lane-not-allowed": ["unprocessable", "The lane is not for this."],
  "idempotency-conflict": ["conflict", "The key was used for another request."],
};

function answerTo(outcome: SubmitOutcome) {
  if (outcome.kind === "accepted") return { status: 202, body: { jobId: outcome.jobId, state: outcome.state } };
  const { kind: _, because, ...error } = outcome;
  return refuse(...PROBLEM[because], error);
}
const notAllowed = (kind: string) =>
  refuse("forbidden", "The caller may only read.", {
    field: "operation.kind",
    expected: "an operation that only reads",
    received: kind,
  });

/** Another's job, for those who see only their own, is one that is not there. */
async function hides(caller: Caller, field: string, jobId: JobId | undefined) {
  if (jobId === undefined) return undefined;
  const job = await ports.ledger.job(jobId);
  if (job === undefined || maySee(caller, job.caller.id)) return undefined;
  return refuse(...PROBLEM["unknown-job"], { field, expected: "the id of a job that is there", received: jobId });
}

export const handler = httpHandler({
  async submitJob({ body, caller }) {
    const { operation, target, after } = body;
    if (!mayAsk(caller, operation.kind)) return notAllowed(operation.kind);
    const hidden =
      (await hides(caller, "target.jobId", target.kind === "tasksOf" ? target.jobId : undefined)) ??
      (await hides(caller, "after.jobId", after?.jobId));
    return hidden ?? answerTo(await submitJob(ports, caller, body));
  },
  async cloneJob({ params: { jobId }, body, caller }) {
    const hidden = await hides(caller, "jobId", jobId);
    if (hidden !== undefined) return hidden;
    const kind = (await ports.ledger.job(jobId))?.operation.kind;
    if (kind !== undefined && !mayAsk(caller, kind)) return notAllowed(kind);
    return answerTo(await cloneJob(ports, caller, jobId, body));
  },
});
