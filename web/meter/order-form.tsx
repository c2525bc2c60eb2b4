import { useMutation } from "@tanstack/react-query";
import { type ReactNode, type SubmitEvent, useEffect, useRef, useState } from "react";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { ReasonField, useReason } from "../form/reason-field.tsx";
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
  const reason = useReason();
  const input = useRef<HTMLInputElement>(null);
  // One key per reason and choice: sent twice, it is the same order.
  const sent = useRef({ asked: "", key: "" });
  useEffect(() => {
    if (asking) input.current?.focus();
  }, [asking]);
  const submit = useMutation({
    mutationFn: (why: string) => {
      const asked = `${choice}\n${why}`;
      if (sent.current.asked !== asked) sent.current = { asked, key: crypto.randomUUID() };
      return api("submitJob", { request: request(why, sent.current.key) });
    },
    onSuccess: ({ jobId }) => goTo(jobPath(jobId)),
  });
  if (!asking)
    return (
      <button type="button" onClick={() => setAsking(true)}>
        {title}…
      </button>
    );
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    const why = reason.take();
    if (why === undefined) input.current?.focus();
    else submit.mutate(why);
  };
  return (
    <form className="card" aria-label={title} onSubmit={send} noValidate>
      <p>{about}</p>
      {children}
      <ReasonField reason={reason} kept="kept with the order" input={input} />
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
