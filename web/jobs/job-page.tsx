import { Fragment } from "react";
import { ProblemView } from "../api/problem-view.tsx";
import { durationText } from "../figures/duration-text.ts";
import { Instant } from "../figures/instant-text.tsx";
import { counted } from "../figures/scaled-decimal.ts";
import { Link } from "../shell/link.tsx";
import { PageHead } from "../shell/page-head.tsx";
import { jobPath } from "../shell/pages.ts";
import { useMay } from "../sign-in/use-session.ts";
import { ApproveJob } from "./approve-job.tsx";
import { JobOutcome } from "./job-outcome.tsx";
import { JobState } from "./job-state.tsx";
import { type ApiJob, isLive, operationText, rangeText, targetText } from "./job-text.ts";
import { outcomeText } from "./outcome-counts.ts";
import { CloneJob, SteerJob } from "./steer-job.tsx";
import { TaskList } from "./task-list.tsx";
import { useJob } from "./use-job.ts";

const announcement = (job: ApiJob): string =>
  isLive(job)
    ? `The job is ${job.state}.`
    : `The job is closed. ${job.progress === undefined ? "" : outcomeText(job.progress)}`;

function Facts({ job }: { readonly job: ApiJob }) {
  const range = rangeText(job.operation);
  return (
    <dl className="facts">
      <dt>Target</dt>
      <dd>
        {targetText(job.target)}
        {job.tasks !== undefined && ` · ${counted(job.tasks, "task")}`}
      </dd>
      {range !== undefined && (
        <>
          <dt>Range</dt>
          <dd>{range}</dd>
        </>
      )}
      <dt>Lane</dt>
      <dd>{job.lane}</dd>
      <dt>Asked for</dt>
      <dd>
        <Instant at={job.createdAt} /> by {job.caller.name ?? job.caller.id}
        {job.schedule !== undefined && `, schedule ${job.schedule.scheduleId}`}
      </dd>
      {job.reason !== undefined && (
        <>
          <dt>Why</dt>
          <dd>{job.reason}</dd>
        </>
      )}
      {job.notBefore !== undefined && (
        <>
          <dt>Starts</dt>
          <dd>
            <Instant at={job.notBefore} />
            {(job.spreadSeconds ?? 0) > 0 && `, spread over ${durationText(job.spreadSeconds ?? 0)}`}
          </dd>
        </>
      )}
      {job.after !== undefined && (
        <>
          <dt>Waits for</dt>
          <dd>
            <Link to={jobPath(job.after.jobId)}>job {job.after.jobId.slice(0, 8)}…</Link>
            {job.after.on === "done" ? ", and only if all of it is done" : ", however it ends"}
          </dd>
        </>
      )}
      <dt>Ends at the latest</dt>
      <dd>
        <Instant at={job.deadline} />
      </dd>
      {job.closedAt !== undefined && (
        <>
          <dt>Closed</dt>
          <dd>
            <Instant at={job.closedAt} />, after{" "}
            {durationText((Date.parse(job.closedAt) - Date.parse(job.createdAt)) / 1000)}
          </dd>
        </>
      )}
      <dt>Retries</dt>
      <dd>
        {counted(job.retry.passes, "pass", "passes")}, resting from {durationText(job.retry.backoffSeconds)}
        {Object.entries(job.retry.byReason ?? {}).map(([reason, { passes }]) => `; ${reason}: ${passes}`)}
      </dd>
      {job.steps?.map((step) => (
        <Fragment key={`${step.at} ${step.action}`}>
          <dt>{step.action[0]?.toUpperCase() + step.action.slice(1)}</dt>
          <dd>
            <Instant at={step.at} /> by {step.by.name ?? step.by.id}
            {step.reason !== undefined && `: ${step.reason}`}
          </dd>
        </Fragment>
      ))}
      <dt>Job id</dt>
      <dd className="mono">{job.jobId}</dd>
    </dl>
  );
}

export default function JobPage({ jobId }: { readonly jobId: string }) {
  const mayClone = useMay("cloneJob");
  const query = useJob(jobId);
  const job = query.data;
  return (
    <>
      <PageHead
        title={job === undefined ? "Job" : `${operationText(job.operation)}${job.test === true ? ", a test" : ""}`}
        about={job === undefined ? undefined : <JobState job={job} />}
      >
        {job !== undefined && <SteerJob job={job} />}
      </PageHead>
      {query.isPending && <p className="muted">Loading…</p>}
      {query.isError && <ProblemView error={query.error} retry={() => void query.refetch()} />}
      {job !== undefined && (
        <>
          <p className="unseen" role="status">
            {announcement(job)}
          </p>
          <div className="columns">
            <section className="card" aria-labelledby="outcome">
              <h2 id="outcome">Progress</h2>
              {job.progress === undefined || job.tasks === undefined ? (
                <p className="muted">The job is being planned; its tasks are not counted yet.</p>
              ) : (
                <JobOutcome progress={job.progress} />
              )}
              {mayClone && (job.progress?.failed ?? 0) + (job.progress?.expired ?? 0) > 0 && <CloneJob job={job} />}
            </section>
            <section className="card" aria-labelledby="facts">
              <h2 id="facts">The job</h2>
              <Facts job={job} />
            </section>
          </div>
          <ApproveJob job={job} />
          {job.rejected !== undefined && job.rejected.length > 0 && (
            <section className="card" aria-labelledby="rejected">
              <h2 id="rejected">Not planned</h2>
              <ul className="plain">
                {job.rejected.map(({ meterId, reason }) => (
                  <li key={meterId}>
                    <span className="mono">{meterId}</span>: {reason}
                  </li>
                ))}
              </ul>
            </section>
          )}
          <TaskList jobId={jobId} live={isLive(job)} />
        </>
      )}
    </>
  );
}
