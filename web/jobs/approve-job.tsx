import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { Instant } from "../figures/instant-text.tsx";
import { counted } from "../figures/scaled-decimal.ts";
import { useMay } from "../sign-in/use-session.ts";
import type { ApiJob } from "./job-text.ts";

const BECAUSE = { size: "It is about many meters.", cap: "A cap on switching is reached." } as const;

/** Who has approved a job and whom it waits for; another supervisor than who asked may approve exactly what is shown. */
export function ApproveJob({ job }: { readonly job: ApiJob }) {
  const api = useApi();
  const queries = useQueryClient();
  const may = useMay("approveJob");
  const { approval, approvals = [] } = job;
  const approve = useMutation({
    mutationFn: () =>
      api("approveJob", { params: { jobId: job.jobId }, request: { digest: job.approval?.digest ?? "" } }),
    onSettled: () => queries.invalidateQueries({ queryKey: ["readJob", job.jobId] }),
  });
  if (approval === undefined) return null;
  const waits = approval.digest !== undefined;
  return (
    <section className="card" aria-labelledby="approval">
      <h2 id="approval">Approval</h2>
      <p>
        {BECAUSE[approval.because]} {job.test === true ? "In earnest it would wait for" : "It needs"}{" "}
        {approval.needed === 1 ? "another person" : counted(approval.needed, "other person", "other people")}.
        {waits && (
          <>
            {" "}
            It lapses at <Instant at={approval.lapsesAt} />.
          </>
        )}
      </p>
      {approvals.length > 0 && (
        <ul className="plain">
          {approvals.map(({ by, at }) => (
            <li key={by.id}>
              Approved by {by.name ?? by.id}, <Instant at={at} />
            </li>
          ))}
        </ul>
      )}
      {waits && may && (
        <div className="row">
          <button type="button" className="danger" disabled={approve.isPending} onClick={() => approve.mutate()}>
            {approve.isPending ? "Approving…" : `Approve ${counted(job.tasks ?? 0, "order")}`}
          </button>
        </div>
      )}
      {approve.isError && <ProblemView error={approve.error} retry={() => approve.reset()} />}
    </section>
  );
}
