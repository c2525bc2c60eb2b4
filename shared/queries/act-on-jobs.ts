import { z } from "zod";
import { cancelJob } from "../jobs/cancel-job.ts";
import { cloneJob } from "../jobs/clone-job.ts";
import { eachOf } from "../jobs/concurrency.ts";
import { Caller, JobId } from "../jobs/job.ts";
import { requestedJobId } from "../jobs/job-id.ts";
import { pauseJob, resumeJob } from "../jobs/pause-job.ts";
import type { SubmitPorts } from "../jobs/submit-job.ts";
import type { AuditLog } from "../security/audit.ts";
import { mayAsk, maySee } from "../security/ownership.ts";
import { findJobs, type JobSearchPorts } from "./find-jobs.ts";
import { countsRow, type JobFilter, jobRow } from "./job-filter.ts";
import { evaluate } from "./language/evaluate.ts";
import { jobsOf } from "./stored-query.ts";

/** `retry`: the same again, for the tasks that failed or expired. */
export const JOB_ACTIONS = ["cancel", "pause", "resume", "retry"] as const;
export type JobActionKind = (typeof JOB_ACTIONS)[number];

/** What became of one job. `no-match`: it is not one of the query's any more. */
export const ActedOn = z.strictObject({
  jobId: JobId,
  outcome: z.enum(["done", "refused", "no-match"]),
  /** Why it was refused. */
  because: z.string().max(64).optional(),
  /** The job that asks again. */
  retriedAs: JobId.optional(),
});
export type ActedOn = z.infer<typeof ActedOn>;

/** An action on the jobs that a query found, from when they were found on. */
export const JobAction = z.strictObject({
  actionId: z.string(),
  /** What was asked, to tell another request under the same key. */
  asked: z.string(),
  caller: Caller,
  /** Clock ms. */
  at: z.int(),
  /** The jobs that matched then, newest first. */
  jobIds: z.array(JobId),
  /** Others matched as well. */
  more: z.boolean(),
  /** Once it is over. */
  results: z.array(ActedOn).optional(),
});
export type JobAction = z.infer<typeof JobAction>;

/** Actions as stored. Keys live in `functions/adapters/dynamo-job-actions.ts`. */
export interface JobActions {
  /** If absent; else the one that is there. */
  begin(action: JobAction): Promise<JobAction>;
  read(actionId: string): Promise<JobAction | undefined>;
  /** Overwritten: whoever finishes it twice writes much the same. */
  finish(action: JobAction): Promise<void>;
}

export interface ActPorts extends SubmitPorts, Omit<JobSearchPorts, "ledger"> {
  readonly actions: JobActions;
  readonly audit: AuditLog;
}

export interface ActRequest {
  readonly query: string;
  readonly filter: JobFilter;
  readonly action: JobActionKind;
  readonly reason: string;
  readonly limit: number;
  /** The same key of the same caller is the same action, on the same jobs. */
  readonly idempotencyKey: string;
}

/** Jobs at once. */
const WIDTH = 6;

/**
 * Does the same to the jobs that a query over jobs finds: they are found and written down, the audit says so, then each is
 * looked at once more and acted on. The same request again finishes what was interrupted, and is told what became of it;
 * `conflict`: the key was another request's.
 */
export async function actOnJobs(ports: ActPorts, caller: Caller, request: ActRequest): Promise<JobAction | "conflict"> {
  const { query, action, filter, limit } = request;
  const actionId = requestedJobId(ports.crypto, caller.id, `action ${request.idempotencyKey}`);
  const asked = JSON.stringify([query, action, request.reason, limit, filter]);
  const begun = (await ports.actions.read(actionId)) ?? (await begin());
  if (begun.asked !== asked) return "conflict";
  if (begun.results !== undefined) return begun;
  await ports.audit.append({ at: ports.clock.now(), ...entryOf(begun, request) });
  const results = new Map<JobId, ActedOn>();
  await eachOf(begun.jobIds, WIDTH, async (jobId) => {
    results.set(jobId, { jobId, ...(await actOn(ports, caller, request, jobId)) });
  });
  const done = { ...begun, results: begun.jobIds.flatMap((jobId) => results.get(jobId) ?? []) };
  await ports.actions.finish(done);
  return done;

  async function begin(): Promise<JobAction> {
    const found = await findJobs(ports, filter, { limit, callerId: jobsOf(caller) });
    return ports.actions.begin({
      actionId,
      asked,
      caller,
      at: ports.clock.now(),
      jobIds: found.jobs.map(({ job }) => job.jobId),
      more: found.cursor !== undefined,
    });
  }
}

async function actOn(
  ports: ActPorts,
  caller: Caller,
  { filter, action, reason, idempotencyKey }: ActRequest,
  jobId: JobId,
): Promise<Omit<ActedOn, "jobId">> {
  const job = await ports.ledger.job(jobId);
  if (job === undefined || !maySee(caller, job.caller.id)) return { outcome: "no-match" };
  const row = { ...jobRow(job), ...countsRow(await ports.counts(job)) };
  if (evaluate(filter, row, ports.now()) !== true) return { outcome: "no-match" };
  const doer = { by: caller, reason };
  switch (action) {
    case "cancel":
      return outcomeOf(await cancelJob(ports, jobId, doer));
    case "pause":
      return outcomeOf(await pauseJob(ports, jobId, doer));
    case "resume":
      return outcomeOf(await resumeJob(ports, jobId, doer));
    case "retry": {
      if (!mayAsk(caller, job.operation.kind)) return { outcome: "refused", because: "role-not-allowed" };
      const key = `action ${idempotencyKey} ${jobId}`;
      const outcome = await cloneJob(ports, caller, jobId, { reason, idempotencyKey: key });
      return outcome.kind === "accepted" ? { outcome: "done", retriedAs: outcome.jobId } : outcomeOf(outcome);
    }
  }
}

const outcomeOf = (
  outcome: { readonly kind: "accepted" } | { readonly kind: "refused"; readonly because: string },
): Omit<ActedOn, "jobId"> =>
  outcome.kind === "accepted" ? { outcome: "done" } : { outcome: "refused", because: outcome.because };

/** So many ids fit a detail of the audit. */
const IDS_A_DETAIL = 7;

/** One entry, with the id of every job. */
function entryOf({ jobIds, caller: { id, name } }: JobAction, { query, action, reason }: ActRequest) {
  const pieces = Array.from({ length: Math.ceil(jobIds.length / IDS_A_DETAIL) }, (_, at) =>
    jobIds.slice(at * IDS_A_DETAIL, (at + 1) * IDS_A_DETAIL).join(" "),
  );
  return {
    by: { id, ...(name === undefined ? {} : { name }) },
    action: `jobs.${action}`,
    reason,
    detail: {
      query,
      jobs: String(jobIds.length),
      ...Object.fromEntries(pieces.map((ids, at) => [`jobs${at}`, ids])),
    },
  };
}
