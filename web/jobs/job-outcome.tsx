import { useQuery } from "@tanstack/react-query";
import { useApi } from "../api/use-api.ts";
import { Mark, type Shape } from "../figures/badge.tsx";
import { Instant } from "../figures/instant-text.tsx";
import { count } from "../figures/scaled-decimal.ts";
import { type Progress, reasonCounts } from "./outcome-counts.ts";
import { ProgressBar } from "./progress-bar.tsx";

const COUNTS: readonly (readonly ["open" | "done" | "failed" | "expired" | "cancelled", Shape])[] = [
  ["open", "ring"],
  ["done", "tick"],
  ["failed", "cross"],
  ["expired", "clock"],
  ["cancelled", "dash"],
];

/** What to do about each reason, as the headend says; a word that it does not tell has no hint. */
function useHints(): ReadonlyMap<string, string> {
  const api = useApi();
  const words = useQuery({
    queryKey: ["listFailures"],
    queryFn: ({ signal }) => api("listFailures", {}, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  return new Map(words.data?.failures.map(({ reason, hint }) => [reason, hint]));
}

/** How a job's tasks stand, and why those that are not done are not. */
export function JobOutcome({ progress }: { readonly progress: Progress }) {
  const reasons = reasonCounts(progress);
  const hints = useHints();
  return (
    <>
      <ProgressBar progress={progress} label="Progress of the job" />
      <dl className="counts">
        {COUNTS.map(([state, shape]) => (
          <div key={state}>
            <dt>
              <Mark shape={shape} />
              {state}
            </dt>
            <dd data-count={state}>{count(progress[state])}</dd>
          </div>
        ))}
      </dl>
      {reasons.length > 0 && (
        <table>
          <caption>Reasons</caption>
          <thead>
            <tr>
              <th scope="col">Reason</th>
              <th scope="col">What happens</th>
              <th scope="col">What to do</th>
              <th scope="col" className="number">
                Tasks
              </th>
            </tr>
          </thead>
          <tbody>
            {reasons.map(({ reason, open, tasks }) => (
              <tr key={`${reason} ${open}`}>
                <th scope="row">{reason}</th>
                <td>{open ? "is tried again" : "ended so"}</td>
                <td>
                  <span className="hint">{hints.get(reason) ?? ""}</span>
                </td>
                <td className="number">{count(tasks)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <p className="small muted">
        As of <Instant at={progress.asOf} />
      </p>
    </>
  );
}
