import type { ProblemKind } from "../../shared/api/problem.ts";
import { type RefusedJob, submitJob } from "../../shared/jobs/submit-job.ts";
import { jobPorts } from "../adapters/job-ports.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";

const ports = jobPorts();

const PROBLEM: Readonly<Record<RefusedJob["because"], readonly [ProblemKind, string]>> = {
  "unknown-meter": ["not-found", "No such meter is enrolled."],
  "unknown-target": ["not-found", "The target has no enrolled meters."],
  "deadline-passed": ["unprocessable", "The deadline has passed."],
  "lane-not-allowed": ["unprocessable", "The lane is not for this."],
  "idempotency-conflict": ["conflict", "The key was used for another request."],
};

export const handler = httpHandler({
  async submitJob({ body, caller }) {
    const outcome = await submitJob(ports, caller, body);
    if (outcome.kind === "accepted") return { status: 202, body: { jobId: outcome.jobId, state: outcome.state } };
    const { kind: _, because, ...error } = outcome;
    return refuse(...PROBLEM[because], error);
  },
});
