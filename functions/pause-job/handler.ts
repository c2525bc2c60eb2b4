import type { ProblemKind } from "../../shared/api/problem.ts";
import type { Routes } from "../../shared/api/routes.ts";
import { toldLedger } from "../../shared/events/tell-jobs.ts";
import type { JobId } from "../../shared/jobs/job.ts";
import { pauseJob, resumeJob, type SteerOutcome } from "../../shared/jobs/pause-job.ts";
import { maySee } from "../../shared/security/ownership.ts";
import { peopleOfEnvironment } from "../adapters/cognito-people.ts";
import { tellerOfEnvironment } from "../adapters/event-teller.ts";
import { jobPorts } from "../adapters/job-ports.ts";
import { type HttpRequest, httpHandler, refuse } from "../adapters/pipeline-http.ts";

const untold = jobPorts();
const ports = {
  ...untold,
  ledger: toldLedger(untold.ledger, tellerOfEnvironment()),
  people: peopleOfEnvironment(),
};

const PROBLEM: Readonly<
  Record<Extract<SteerOutcome, { kind: "refused" }>["because"], readonly [ProblemKind, string, string]>
> = {
  "unknown-job": ["not-found", "There is no such job.", "the id of a job"],
  "already-closed": ["conflict", "The job is closed.", "a job that is not closed"],
  ending: ["conflict", "The job is being cancelled.", "a job that is not being cancelled"],
  "not-paused": ["conflict", "The job is not paused.", "a paused job"],
};

function answerTo(jobId: JobId, outcome: SteerOutcome) {
  if (outcome.kind === "accepted") return { status: 202, body: { jobId, state: outcome.state } };
  const [kind, detail, expected] = PROBLEM[outcome.because];
  return refuse(kind, detail, { field: "jobId", expected, received: jobId });
}

const steered =
  (steer: typeof pauseJob | typeof resumeJob) =>
  async ({ params: { jobId }, body, caller }: HttpRequest<Routes["pauseJob" | "resumeJob"]>) => {
    const job = await ports.ledger.job(jobId);
    if (job === undefined || !maySee(caller, job.caller.id))
      return answerTo(jobId, { kind: "refused", because: "unknown-job" });
    return answerTo(jobId, await steer(ports, jobId, { by: caller, reason: body?.reason }));
  };

export const handler = httpHandler({ pauseJob: steered(pauseJob), resumeJob: steered(resumeJob) });
