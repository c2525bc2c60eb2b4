import type { ProblemKind } from "../../shared/api/problem.ts";
import { type ApproveOutcome, approveJob } from "../../shared/jobs/approve-job.ts";
import { auditOfEnvironment } from "../adapters/audit-ports.ts";
import { peopleOfEnvironment } from "../adapters/cognito-people.ts";
import { jobPorts } from "../adapters/job-ports.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";

const ports = { ...jobPorts(), people: peopleOfEnvironment() };
const audit = auditOfEnvironment();

type Because = Extract<ApproveOutcome, { readonly kind: "refused" }>["because"];
const PROBLEM: Readonly<Record<Because, readonly [ProblemKind, string, string, string]>> = {
  "unknown-job": ["not-found", "There is no such job.", "jobId", "the id of a job"],
  "not-awaited": ["conflict", "The job does not wait to be approved.", "jobId", "a job that waits to be approved"],
  "own-job": ["forbidden", "Nobody approves what he asked for himself.", "authorization", "another person"],
  "not-a-person": ["forbidden", "Only people approve.", "authorization", "a person's token"],
  twice: ["conflict", "You have approved it before.", "authorization", "another person"],
  "other-digest": ["conflict", "The job is not what was approved.", "digest", "the digest that the job shows now"],
  lapsed: ["conflict", "The time to approve it is over.", "jobId", "a job that waits to be approved"],
};

export const handler = httpHandler({
  async approveJob({ params: { jobId }, body: { digest }, caller }) {
    const { id, name } = caller;
    const outcome = await approveJob(ports, jobId, caller, digest, () =>
      audit.append({
        at: ports.clock.now(),
        by: { id, ...(name === undefined ? {} : { name }) },
        action: "job.approved",
        jobId,
        detail: { digest },
      }),
    );
    if (outcome.kind === "accepted") return { status: 202, body: { jobId: outcome.jobId, state: outcome.state } };
    const [kind, detail, field, expected] = PROBLEM[outcome.because];
    return refuse(kind, detail, { field, expected });
  },
});
