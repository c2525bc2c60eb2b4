import { ProblemView } from "../api/problem-view.tsx";
import { durationText } from "../figures/duration-text.ts";
import { Instant } from "../figures/instant-text.tsx";
import { counted } from "../figures/scaled-decimal.ts";
import { PageHead } from "../shell/page-head.tsx";
import { useMay } from "../sign-in/use-session.ts";
import { CancelJob } from "./cancel-job.tsx";
import { JobOutcome } from "./job-outcome.tsx";
import { JobState } from "./job-state.tsx";
import { type ApiJob, isLive, operationText, rangeText, targetText } from "./job-text.ts";
import { outcomeText } from "./outcome-counts.ts";
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
      </dd>
      <dt>Job id</dt>
      <dd className="mono">{job.jobId}</dd>
    </dl>
  );
}

export default function JobPage({ jobId }: { readonly jobId: string }) {
  const mayCancel = useMay("cancelJob");
  const query = useJob(jobId);
  const job = query.data;
  return (
    <>
      <PageHead
        title={job === undefined ? "Job" : operationText(job.operation)}
        about={job === undefined ? undefined : <JobState job={job} />}
      >
        {job !== undefined && mayCancel && isLive(job) && job.state !== "cancelling" && <CancelJob jobId={jobId} />}
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
              {job.progress === undefined ? (
                <p className="muted">The job is being planned; its tasks are not counted yet.</p>
              ) : (
                <JobOutcome progress={job.progress} />
              )}
            </section>
            <section className="card" aria-labelledby="facts">
              <h2 id="facts">The job</h2>
              <Facts job={job} />
            </section>
          </div>
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
