import type { ProblemKind } from "../../shared/api/problem.ts";
import { cloneJob } from "../../shared/jobs/clone-job.ts";
import type { Caller, JobId } from "../../shared/jobs/job.ts";
import { AHEAD_MAX_MS, type RefusedJob, type SubmitOutcome, submitJob } from "../../shared/jobs/submit-job.ts";
import { actOnJobs } from "../../shared/queries/act-on-jobs.ts";
import { mayUse } from "../../shared/queries/stored-query.ts";
import { mayAsk, maySee } from "../../shared/security/ownership.ts";
import { auditOfEnvironment } from "../adapters/audit-ports.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoJobActions } from "../adapters/dynamo-job-actions.ts";
import { dynamoQueries, dynamoTariffVersions } from "../adapters/dynamo-named.ts";
import { gateOfEnvironment } from "../adapters/gate-ports.ts";
import { jobPorts } from "../adapters/job-ports.ts";
import { jobSearch } from "../adapters/job-search.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";
import { Setting, settings } from "../adapters/settings.ts";

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

const refusalTo = ({ kind: _, because, ...error }: RefusedJob) => refuse(...PROBLEM[because], error);
const answerTo = (outcome: SubmitOutcome) =>
  outcome.kind === "accepted"
    ? { status: 202, body: { jobId: outcome.jobId, state: outcome.state } }
    : refusalTo(outcome);
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

const db = documentClient();
const { LEDGER_TABLE } = settings({ LEDGER_TABLE: Setting });
const tariffs = dynamoTariffVersions(db, LEDGER_TABLE);
const queries = dynamoQueries(db, LEDGER_TABLE);
const acting = {
  ...jobSearch(ports.ledger),
  ...ports,
  actions: dynamoJobActions(db, LEDGER_TABLE),
  audit: auditOfEnvironment(),
};
/** How long after its time a calendar is looked for on the meters. */
const PROOF_MS = 15 * 60_000;

export const handler = httpHandler({
  async rolloutTariff({ params: { tariffId, version }, body, caller }) {
    const tariff = await tariffs.read(tariffId, version);
    if (tariff === undefined)
      return refuse("not-found", `There is no version ${version} of tariff ${tariffId}.`, {
        field: "version",
        expected: "a version that was made",
        received: String(version),
      });
    if (!mayAsk(caller, "programTariff")) return notAllowed("programTariff");
    const { target, activateAt, reason, idempotencyKey: key } = body;
    const keyed = (part: string) => (key === undefined ? {} : { idempotencyKey: `${key}#${part}` });
    const { calendar } = tariff.content;
    const operation = { kind: "programTariff", calendar, ...(activateAt === undefined ? {} : { activateAt }) } as const;
    const program = await submitJob(ports, caller, { operation, target, reason, ...keyed("program") });
    if (program.kind === "refused") return refusalTo(program);
    const notBefore = activateAt === undefined ? undefined : activateAt + PROOF_MS;
    if (notBefore === undefined || notBefore > ports.clock.now() + AHEAD_MAX_MS)
      return { status: 202, body: { program: { jobId: program.jobId, state: program.state } } };
    const proof = await submitJob(ports, caller, {
      operation: { kind: "readTariff" },
      target,
      lane: "bulk",
      notBefore,
      reason,
      ...keyed("proof"),
    });
    if (proof.kind === "refused") return refusalTo(proof);
    const jobs = {
      program: { jobId: program.jobId, state: program.state },
      proof: { jobId: proof.jobId, state: proof.state },
    };
    return { status: 202, body: jobs };
  },
  async submitJob({ body, caller }) {
    const { operation, target, after } = body;
    if (!mayAsk(caller, operation.kind)) return notAllowed(operation.kind);
    const hidden =
      (await hides(caller, "target.jobId", target.kind === "tasksOf" ? target.jobId : undefined)) ??
      (await hides(caller, "after.jobId", after?.jobId));
    return hidden ?? answerTo(await submitJob(ports, caller, body));
  },
  async actOnJobs({ params: { query: name }, body, caller }) {
    const query = await queries.read(name);
    if (query?.over !== "jobs" || !mayUse(caller, query))
      return refuse("not-found", `There is no query ${name} over jobs.`, {
        field: "query",
        expected: "the name of a stored query over jobs that the caller may use",
        received: name,
      });
    const done = await actOnJobs(acting, caller, { query: name, filter: query.filter, ...body });
    if (done !== "conflict") {
      const { actionId, at, more, results = [] } = done;
      return { status: 200, body: { actionId, at, more, results } };
    }
    const { idempotencyKey: received } = body;
    return refuse("conflict", "The key was used for another request.", {
      field: "idempotencyKey",
      expected: "a key that was not used for another request",
      received,
    });
  },
  async cloneJob({ params: { jobId }, body, caller }) {
    const hidden = await hides(caller, "jobId", jobId);
    if (hidden !== undefined) return hidden;
    const kind = (await ports.ledger.job(jobId))?.operation.kind;
    if (kind !== undefined && !mayAsk(caller, kind)) return notAllowed(kind);
    return answerTo(await cloneJob(ports, caller, jobId, body));
  },
});
