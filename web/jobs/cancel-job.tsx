import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";

/** Cancels a job after one question, asked in place. */
export function CancelJob({ jobId }: { readonly jobId: string }) {
  const api = useApi();
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const keep = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (asking) keep.current?.focus();
  }, [asking]);
  const cancel = useMutation({
    mutationFn: () => api("cancelJob", { params: { jobId } }),
    onSuccess: () => {
      setAsking(false);
      return queries.invalidateQueries({ queryKey: ["readJob", jobId] });
    },
  });
  if (cancel.isError) return <ProblemView error={cancel.error} retry={() => cancel.reset()} />;
  if (!asking)
    return (
      <button type="button" className="danger" onClick={() => setAsking(true)}>
        Cancel the job…
      </button>
    );
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset's frame does not belong here
    <div className="row" role="group" aria-label="Cancel the job?">
      <span>End all tasks that are still open?</span>
      <button type="button" ref={keep} onClick={() => setAsking(false)}>
        Keep it
      </button>
      <button type="button" className="danger" disabled={cancel.isPending} onClick={() => cancel.mutate()}>
        {cancel.isPending ? "Cancelling…" : "Cancel the job"}
      </button>
    </div>
  );
}
