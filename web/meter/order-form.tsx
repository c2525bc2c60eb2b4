import { useMutation } from "@tanstack/react-query";
import { type ReactNode, type SubmitEvent, useEffect, useId, useRef, useState } from "react";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import type { JobRequest } from "../jobs/read-request.ts";
import { goTo } from "../shell/location.ts";
import { jobPath } from "../shell/pages.ts";

interface OrderFormProps {
  /** What is done, as an order: "Reset the demand". */
  readonly title: string;
  /** What happens, and what does not. */
  readonly about: ReactNode;
  /** Further choices. */
  readonly children?: ReactNode;
  /** Another value is another order. */
  readonly choice?: string;
  readonly request: (reason: string, idempotencyKey: string) => JobRequest;
}

/** Gives an order to one meter, after a reason was given, and goes on to the job's page. */
export function OrderForm({ title, about, children, choice = "", request }: OrderFormProps) {
  const api = useApi();
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState("");
  const [tried, setTried] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  // One key per reason and choice: sent twice, it is the same order.
  const sent = useRef({ asked: "", key: "" });
  useEffect(() => {
    if (asking) input.current?.focus();
  }, [asking]);
  const submit = useMutation({
    mutationFn: () => {
      const asked = `${choice}\n${reason}`;
      if (sent.current.asked !== asked) sent.current = { asked, key: crypto.randomUUID() };
      return api("submitJob", { request: request(reason.trim(), sent.current.key) });
    },
    onSuccess: ({ jobId }) => goTo(jobPath(jobId)),
  });
  if (!asking)
    return (
      <button type="button" onClick={() => setAsking(true)}>
        {title}…
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
    <form className="card" aria-label={title} onSubmit={send} noValidate>
      <p>{about}</p>
      {children}
      <div className="field">
        <label htmlFor={`${id}-reason`}>Why</label>
        <input
          id={`${id}-reason`}
          ref={input}
          maxLength={500}
          autoComplete="off"
          required
          value={reason}
          aria-invalid={missing}
          aria-describedby={missing ? `${id}-refusal` : undefined}
          onChange={(event) => setReason(event.target.value)}
        />
      </div>
      {missing && (
        <p className="refusal" id={`${id}-refusal`} role="alert">
          Say why: it is kept with the order.
        </p>
      )}
      {submit.isError && <ProblemView error={submit.error} />}
      <div className="row">
        <button type="button" disabled={submit.isPending} onClick={() => setAsking(false)}>
          Leave it
        </button>
        <button type="submit" className="danger" disabled={submit.isPending}>
          {submit.isPending ? "Ordering…" : title}
        </button>
      </div>
    </form>
  );
}
