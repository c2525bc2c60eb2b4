import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useRef, useState } from "react";
import type { Answer } from "../api/client.ts";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { counted } from "../figures/scaled-decimal.ts";
import { ReasonForm } from "../form/reason-form.tsx";
import { Link } from "../shell/link.tsx";
import { jobPath } from "../shell/pages.ts";

const ACTIONS = {
  cancel: "Cancel them",
  pause: "Pause them",
  resume: "Resume them",
  retry: "Ask again for what failed of them",
} as const;
type Action = keyof typeof ACTIONS;
const AT_ONCE = 50;

const OUTCOMES = { done: "done", refused: "refused", "no-match": "matches no more" } as const;

function Done({ done: { results, more } }: { readonly done: Answer<"actOnJobs"> }) {
  const acted = results.filter(({ outcome }) => outcome === "done").length;
  return (
    <div role="status">
      <p>
        {counted(acted, "job")} of {results.length} done.
        {more && " More jobs match: do it again for those."}
      </p>
      <ul>
        {results.map(({ jobId, outcome, because, retriedAs }) => (
          <li key={jobId}>
            <Link to={jobPath(retriedAs ?? jobId)} className="mono">
              {jobId.slice(0, 8)}…
            </Link>{" "}
            {OUTCOMES[outcome]}
            {because !== undefined && `: ${because}`}
            {retriedAs !== undefined && ", as a new job"}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Does the same to all jobs that a stored query finds. */
export function ActOnJobs({ query }: { readonly query: string }) {
  const api = useApi();
  const queries = useQueryClient();
  const id = useId();
  const [action, setAction] = useState<Action>("cancel");
  // Sent twice after a failure it is the same action; once it is answered, the next one is another.
  const sent = useRef({ asked: "", key: "" });
  const act = useMutation({
    mutationFn: (reason: string) => {
      const asked = `${action}\n${reason}`;
      if (sent.current.asked !== asked) sent.current = { asked, key: crypto.randomUUID() };
      return api("actOnJobs", {
        params: { query },
        request: { action, reason, limit: AT_ONCE, idempotencyKey: sent.current.key },
      });
    },
    onSuccess: () => {
      sent.current = { asked: "", key: "" };
      return queries.invalidateQueries({ queryKey: ["runQuery", query] });
    },
  });
  return (
    <div className="card">
      <h3>Do something to these jobs</h3>
      <p className="muted">
        To the newest {AT_ONCE} that match when it is done; each is looked at once more before. It is kept with the jobs
        and in the audit.
      </p>
      <ReasonForm
        label="Do something to these jobs"
        action={act.isPending ? "Doing it…" : ACTIONS[action]}
        danger={action === "cancel"}
        busy={act.isPending}
        send={(reason) => act.mutate(reason)}
      >
        <div className="field">
          <label htmlFor={`${id}-action`}>What</label>
          <select id={`${id}-action`} value={action} onChange={(event) => setAction(event.target.value as Action)}>
            {Object.entries(ACTIONS).map(([name, text]) => (
              <option key={name} value={name}>
                {text}
              </option>
            ))}
          </select>
        </div>
      </ReasonForm>
      {act.isError && <ProblemView error={act.error} />}
      {act.data !== undefined && <Done done={act.data} />}
    </div>
  );
}
