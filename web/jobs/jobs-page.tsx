import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { Instant } from "../figures/instant-text.tsx";
import { Link } from "../shell/link.tsx";
import { PageHead } from "../shell/page-head.tsx";
import { jobPath } from "../shell/pages.ts";
import { useMay } from "../sign-in/use-session.ts";
import { JobState } from "./job-state.tsx";
import { type ApiJob, operationText, rangeText, targetText } from "./job-text.ts";
import { ProgressBar } from "./progress-bar.tsx";
import { useJob } from "./use-job.ts";

const LIST_MS = 5000;

function JobRow({ listed }: { readonly listed: ApiJob }) {
  const job = useJob(listed.jobId, listed).data ?? listed;
  const range = rangeText(job.operation);
  return (
    <tr>
      <th scope="row">
        <Link to={jobPath(job.jobId)}>{operationText(job.operation)}</Link>
        <span className="small muted job-about">
          {targetText(job.target)} · {job.lane}
          {range !== undefined && ` · ${range}`}
        </span>
      </th>
      <td>
        <JobState job={job} />
      </td>
      <td className="job-progress">
        {job.progress === undefined ? (
          <span className="muted">not known yet</span>
        ) : (
          <ProgressBar progress={job.progress} label="Progress of the job" />
        )}
      </td>
      <td>
        <Instant at={job.createdAt} />
      </td>
      <td>{job.schedule === undefined ? (job.caller.name ?? job.caller.id) : `schedule ${job.schedule.scheduleId}`}</td>
    </tr>
  );
}

export default function JobsPage() {
  const api = useApi();
  const mayRead = useMay("submitJob");
  // Cursors of the pages gone through; the last one is shown.
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const cursor = cursors.at(-1);
  const list = useQuery({
    queryKey: ["listJobs", cursor],
    queryFn: ({ signal }) => api("listJobs", { query: cursor === undefined ? {} : { cursor } }, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: LIST_MS,
  });
  const next = list.data?.cursor;

  return (
    <>
      <PageHead title="Jobs" about="Everything that was asked of meters, newest first">
        {mayRead && (
          <Link className="button primary" to="/jobs/new">
            Read now
          </Link>
        )}
      </PageHead>
      {list.isPending && <p className="muted">Loading…</p>}
      {list.isError && <ProblemView error={list.error} retry={() => void list.refetch()} />}
      {list.data !== undefined && (
        <div className="card flush">
          {list.data.jobs.length === 0 ? (
            <p className="empty">No job yet. “Read now” starts one; schedules start theirs by themselves.</p>
          ) : (
            // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable by keyboard
            <section className="scroll" aria-label="Jobs" tabIndex={0}>
              <table>
                <thead>
                  <tr>
                    <th scope="col">Job</th>
                    <th scope="col">State</th>
                    <th scope="col">Progress</th>
                    <th scope="col">Asked for</th>
                    <th scope="col">By</th>
                  </tr>
                </thead>
                <tbody>
                  {list.data.jobs.map((job) => (
                    <JobRow key={job.jobId} listed={job} />
                  ))}
                </tbody>
              </table>
            </section>
          )}
        </div>
      )}
      {(cursors.length > 0 || next !== undefined) && (
        <nav className="row" aria-label="Pages of the list">
          <button type="button" disabled={cursors.length === 0} onClick={() => setCursors(cursors.slice(0, -1))}>
            Newer
          </button>
          <button
            type="button"
            disabled={next === undefined}
            onClick={() => next !== undefined && setCursors([...cursors, next])}
          >
            Older
          </button>
        </nav>
      )}
    </>
  );
}
