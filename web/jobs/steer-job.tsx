import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { goTo } from "../shell/location.ts";
import { jobPath } from "../shell/pages.ts";
import { useMay } from "../sign-in/use-session.ts";
import { CancelJob } from "./cancel-job.tsx";
import { type ApiJob, isLive } from "./job-text.ts";

/** Pauses a running job, or resumes a paused one. */
function PauseJob({ job }: { readonly job: ApiJob }) {
  const api = useApi();
  const queries = useQueryClient();
  const paused = job.state === "paused";
  const steer = useMutation({
    mutationFn: () => api(paused ? "resumeJob" : "pauseJob", { params: { jobId: job.jobId } }),
    onSettled: () => queries.invalidateQueries({ queryKey: ["readJob", job.jobId] }),
  });
  return (
    <>
      {steer.isError && <ProblemView error={steer.error} retry={() => steer.reset()} />}
      <button type="button" disabled={steer.isPending} onClick={() => steer.mutate()}>
        {paused ? "Resume the job" : "Pause the job"}
      </button>
    </>
  );
}

/** Asks the same again of the meters whose tasks failed or expired, of one reason where one is chosen. */
export function CloneJob({ job }: { readonly job: ApiJob }) {
  const api = useApi();
  const [reason, setReason] = useState("");
  // Sent twice, it is the same job; another choice, or a later page, is another one.
  const [key] = useState(() => crypto.randomUUID());
  const reasons = Object.entries(job.progress?.reasons ?? {}).filter(([name]) => !name.startsWith("open:"));
  const clone = useMutation({
    mutationFn: () =>
      api("cloneJob", {
        params: { jobId: job.jobId },
        request: {
          idempotencyKey: `${key}-${reason}`,
          ...(reason === "" ? {} : { reasons: [reason as "timeout"] }),
        },
      }),
    onSuccess: ({ jobId }) => goTo(jobPath(jobId)),
  });
  return (
    <div className="row">
      <label htmlFor="clone-reason">Again, for what failed:</label>
      <select id="clone-reason" value={reason} onChange={(event) => setReason(event.target.value)}>
        <option value="">all reasons</option>
        {reasons.map(([name, tasks]) => (
          <option key={name} value={name}>
            {name} ({tasks})
          </option>
        ))}
      </select>
      <button type="button" disabled={clone.isPending} onClick={() => clone.mutate()}>
        {clone.isPending ? "Asking…" : "Start a new job"}
      </button>
      {clone.isError && <ProblemView error={clone.error} retry={() => clone.reset()} />}
    </div>
  );
}

/** What may be done to a job as it stands. */
export function SteerJob({ job }: { readonly job: ApiJob }) {
  const may = { cancel: useMay("cancelJob"), pause: useMay("pauseJob") };
  if (!isLive(job) || job.state === "cancelling") return null;
  return (
    <div className="row">
      {may.pause && <PauseJob job={job} />}
      {may.cancel && <CancelJob jobId={job.jobId} />}
    </div>
  );
}
