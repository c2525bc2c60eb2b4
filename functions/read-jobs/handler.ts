import { createHash } from "node:crypto";
import type { ResponseOf } from "../../shared/api/route.ts";
import type { Routes } from "../../shared/api/routes.ts";
import { switchStories } from "../../shared/events/switch-stories.ts";
import { approvalDigest, awaitsApproval } from "../../shared/jobs/approval.ts";
import { collected } from "../../shared/jobs/concurrency.ts";
import { GROUP_PART, GROUP_SEGMENT } from "../../shared/jobs/group-request.ts";
import type { Job } from "../../shared/jobs/job.ts";
import type { JobProgress } from "../../shared/jobs/ledger.ts";
import { EXACT_SLICES, jobCounts, progressOf } from "../../shared/jobs/progress.ts";
import { countSlots } from "../../shared/jobs/slots.ts";
import { tasksOf } from "../../shared/jobs/tasks.ts";
import { FAILURES } from "../../shared/metering/failure.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import { isConfined, maySee } from "../../shared/security/ownership.ts";
import { documentClient } from "../adapters/document-client.ts";
import { dynamoAccess } from "../adapters/dynamo-access.ts";
import { dynamoLedger } from "../adapters/dynamo-ledger.ts";
import { dynamoTimeline } from "../adapters/dynamo-timeline.ts";
import { metersAt } from "../adapters/meters-at.ts";
import { httpHandler, refuse } from "../adapters/pipeline-http.ts";
import { Setting, settings } from "../adapters/settings.ts";
import { productTime, systemClock } from "../adapters/system-clock.ts";

const env = settings({ LEDGER_TABLE: Setting, ACCESS_TABLE: Setting, TIMELINE_TABLE: Setting });
const db = documentClient();
const timeline = dynamoTimeline(db, env.TIMELINE_TABLE);
const ledger = dynamoLedger(db, env.LEDGER_TABLE, systemClock.now);
const access = dynamoAccess(db, env.ACCESS_TABLE);

/** In a list, so that a page stays a few reads a job. */
const EXACT_SLICES_LISTED = 2;

type JobView = ResponseOf<Routes["readJob"]>;

async function viewOf(job: Job, exactSlices: number): Promise<JobView> {
  const { partitions: _partitions, pausedFrom: _pausedFrom, caller, ...shown } = job;
  const progress = await jobCounts(ledger, job, systemClock.now(), exactSlices);
  const { id, name } = caller;
  return {
    ...shown,
    caller: { id, ...(name === undefined ? {} : { name }) },
    ...(progress === undefined ? {} : { progress: shownOf(progress) }),
    ...(await fanOutOf(job)),
    ...(await approvalOf(job)),
  };
}

/** What an approval of a job that waits for one has to name. */
async function approvalOf(job: Job): Promise<Pick<JobView, "approval">> {
  if (job.approval === undefined) return {};
  if (!awaitsApproval(job) || job.state !== "planned") return { approval: job.approval };
  const digest = approvalDigest(nodeCrypto, job, await collected(ledger.slicesOf(job.jobId)));
  return { approval: { ...job.approval, digest } };
}

/** How the group request of a job stands that goes by a group route. */
async function fanOutOf({ jobId, groupRoute }: Job): Promise<Pick<JobView, "fanOut">> {
  const key = { jobId, segment: GROUP_SEGMENT, part: GROUP_PART };
  const slice = groupRoute && (await ledger.slice(key));
  if (slice === undefined) return {};
  const { done: sent, open, failed, expired, cancelled } = countSlots(slice.slots);
  return { fanOut: { sent, open, failed: failed + expired + cancelled } };
}

const shownOf = ({ partitions: _partitions, reasons, ...counts }: JobProgress): NonNullable<JobView["progress"]> => ({
  ...counts,
  reasons: { ...reasons },
});

/** The same as long as nothing but the instant of counting has changed. */
const tagOf = ({ progress, ...job }: JobView): string => {
  const { asOf: _, ...counts } = progress ?? { asOf: 0 };
  const digest = createHash("sha256")
    .update(JSON.stringify([job, counts]))
    .digest("base64url");
  return `"${digest.slice(0, 22)}"`;
};

const unknownJob = (jobId: string) =>
  refuse("not-found", `There is no job ${jobId}.`, { field: "jobId", expected: "the id of a job", received: jobId });

export const handler = httpHandler({
  async listJobs({ query: { limit, cursor }, caller }) {
    const page = await ledger.jobs({
      limit,
      ...(cursor === undefined ? {} : { cursor }),
      ...(isConfined(caller) ? { callerId: caller.id } : {}),
    });
    const jobs = await Promise.all(page.jobs.map((job) => viewOf(job, EXACT_SLICES_LISTED)));
    return { status: 200, body: { jobs, ...(page.cursor === undefined ? {} : { cursor: page.cursor }) } };
  },
  async readJob({ params: { jobId }, ifNoneMatch, caller }) {
    const job = await ledger.job(jobId);
    if (job === undefined || !maySee(caller, job.caller.id)) return unknownJob(jobId);
    const view = await viewOf(job, EXACT_SLICES);
    // Who follows a job finds counts from the first look on: none, while it is being planned.
    const body = { ...view, progress: view.progress ?? shownOf(progressOf([], job.createdAt)) };
    const headers = { etag: tagOf(body), "cache-control": "private, no-cache" };
    return ifNoneMatch === headers.etag ? { status: 304, headers } : { status: 200, body, headers };
  },
  async listTasks({ params: { jobId }, query, caller }) {
    const job = await ledger.job(jobId);
    if (job === undefined || !maySee(caller, job.caller.id)) return unknownJob(jobId);
    const page = await tasksOf(ledger, job, query);
    if (page === undefined)
      return refuse("invalid-request", "The cursor is not as expected.", {
        field: "cursor",
        expected: "the cursor of the page before",
      });
    const meterIds = await metersAt(access, page.tasks);
    const stories = await switchStories({ timeline, productTime }, job, meterIds, job.closedAt ?? systemClock.now());
    const tasks = page.tasks.map(({ segment, slot, state, reason }, index) => {
      const meterId = meterIds[index];
      const story = meterId && stories.get(meterId);
      return {
        meterId: meterId ?? `(slot ${slot} of segment ${segment})`,
        state,
        ...(reason === "none" ? {} : { reason, retry: FAILURES[reason].retry, hint: FAILURES[reason].hint }),
        ...(story === undefined ? {} : { switch: story }),
      };
    });
    return { status: 200, body: { tasks, ...(page.cursor === undefined ? {} : { cursor: page.cursor }) } };
  },
});
