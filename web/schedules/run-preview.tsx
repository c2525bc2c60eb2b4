import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { Instant } from "../figures/instant-text.tsx";
import { useSettled } from "../fleet/use-settled.ts";
import { type PreviewSent, previewRequest, type ScheduleChoice } from "./schedule-request.ts";

const COUNT = 8;

/** The next runs of what the form says, as the headend would make them. */
export function RunPreview({ choice }: { readonly choice: ScheduleChoice }) {
  const api = useApi();
  const asked = useSettled(JSON.stringify(previewRequest(choice, COUNT) ?? null), 400);
  const preview = useQuery({
    queryKey: ["previewSchedule", asked],
    queryFn: ({ signal }) => api("previewSchedule", { request: JSON.parse(asked) as PreviewSent }, { signal }),
    enabled: asked !== "null",
    placeholderData: keepPreviousData,
  });
  return (
    <section aria-labelledby="next-runs">
      <h2 id="next-runs">The next runs</h2>
      {asked === "null" && <p className="muted">Say when it runs, and in which time zone.</p>}
      {preview.isError && <ProblemView error={preview.error} />}
      {asked !== "null" && preview.data !== undefined && !preview.isError && (
        <ol className="plain" aria-live="polite">
          {preview.data.runs.map(({ plannedAt, local, runsAt, blackout }) => (
            <li key={plannedAt}>
              <span className="mono">{local.replace("T", " ")}</span>{" "}
              {runsAt === undefined ? (
                <span className="muted">skipped: {blackout}</span>
              ) : blackout === undefined ? null : (
                <span className="muted">
                  moved by {blackout} to <Instant at={runsAt} />
                </span>
              )}
            </li>
          ))}
          {preview.data.runs.length === 0 && <li className="muted">It never runs.</li>}
        </ol>
      )}
    </section>
  );
}
