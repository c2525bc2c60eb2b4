import { useMutation } from "@tanstack/react-query";
import { type SubmitEvent, useEffect, useRef, useState } from "react";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { resetRequest } from "../jobs/order-request.ts";
import { goTo } from "../shell/location.ts";
import { jobPath } from "../shell/pages.ts";

/** Orders a demand reset of one meter, after a reason was given, and goes on to the job's page. */
export function ResetDemand({ meterId }: { readonly meterId: string }) {
  const api = useApi();
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState("");
  const [tried, setTried] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  // One key per reason given: sent twice, it is the same order.
  const key = useRef(crypto.randomUUID());
  useEffect(() => {
    if (asking) input.current?.focus();
  }, [asking]);
  const submit = useMutation({
    mutationFn: () => api("submitJob", { request: resetRequest(meterId, reason, key.current) }),
    onSuccess: ({ jobId }) => goTo(jobPath(jobId)),
  });
  if (!asking)
    return (
      <button type="button" onClick={() => setAsking(true)}>
        Reset the demand…
      </button>
    );
  const missing = tried && reason.trim() === "";
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    setTried(true);
    if (reason.trim() === "") input.current?.focus();
    else submit.mutate();
  };
  return (
    <form className="card" aria-label="Reset the demand" onSubmit={send} noValidate>
      <p>
        The meter’s maximum demand is read and stored, then set back. This cannot be undone, and is done once: the
        meter’s own count of resets proves it.
      </p>
      <div className="field">
        <label htmlFor="reset-reason">Why</label>
        <input
          id="reset-reason"
          ref={input}
          maxLength={500}
          autoComplete="off"
          required
          value={reason}
          aria-invalid={missing}
          aria-describedby={missing ? "reset-refusal" : undefined}
          onChange={(event) => {
            key.current = crypto.randomUUID();
            setReason(event.target.value);
          }}
        />
      </div>
      {missing && (
        <p className="refusal" id="reset-refusal" role="alert">
          Say why: it is kept with the order.
        </p>
      )}
      {submit.isError && <ProblemView error={submit.error} />}
      <div className="row">
        <button type="button" disabled={submit.isPending} onClick={() => setAsking(false)}>
          Leave it
        </button>
        <button type="submit" className="danger" disabled={submit.isPending}>
          {submit.isPending ? "Ordering…" : "Reset the demand"}
        </button>
      </div>
    </form>
  );
}
