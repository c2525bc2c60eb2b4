import { useMutation, useQuery } from "@tanstack/react-query";
import { type SubmitEvent, useRef, useState } from "react";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { count } from "../figures/scaled-decimal.ts";
import { goTo, useQueryParameter } from "../shell/location.ts";
import { PageHead } from "../shell/page-head.tsx";
import { jobPath } from "../shell/pages.ts";
import { useMay } from "../sign-in/use-session.ts";
import { headendNow } from "./headend-clock.ts";
import { type ReadChoice, readRequest, refusalOf } from "./read-request.ts";

interface RadioProps<Value extends string> {
  readonly name: string;
  readonly value: Value;
  readonly text: string;
  readonly chosen: Value;
  readonly choose: (value: Value) => void;
}

function Radio<Value extends string>({ name, value, text, chosen, choose }: RadioProps<Value>) {
  return (
    <label className="choice">
      <input type="radio" name={name} value={value} checked={chosen === value} onChange={() => choose(value)} />
      {text}
    </label>
  );
}

/** Asks for a read and goes on to the job's page. */
export default function ReadNowPage() {
  const api = useApi();
  const may = useMay("submitJob");
  const [given] = useQueryParameter("meter");
  const [named] = useQueryParameter("query");
  const [choice, setChoice] = useState<ReadChoice>({
    target: given !== "" ? "meter" : named === "" ? "all" : "query",
    group: "",
    query: named,
    meterId: given,
    what: "intervals",
    reason: "",
  });
  const [tried, setTried] = useState(false);
  // One key per content of the form: sent twice, it is the same job.
  const key = useRef(crypto.randomUUID());
  const change = (part: Partial<ReadChoice>) => {
    key.current = crypto.randomUUID();
    setChoice({ ...choice, ...part });
  };
  const groups = useQuery({
    queryKey: ["listGroups"],
    queryFn: ({ signal }) => api("listGroups", {}, { signal }),
    staleTime: 60_000,
  });
  const stored = useQuery({
    queryKey: ["listQueries"],
    queryFn: ({ signal }) => api("listQueries", {}, { signal }),
    staleTime: 60_000,
  });
  const submit = useMutation({
    mutationFn: async () => {
      const meterId = choice.target === "meter" ? choice.meterId.trim() : undefined;
      const now = choice.what === "intervals" ? await headendNow(api, meterId) : Date.now();
      return api("submitJob", { request: readRequest(choice, now, key.current) });
    },
    onSuccess: ({ jobId }) => goTo(jobPath(jobId)),
  });
  const refusal = tried ? refusalOf(choice) : undefined;
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    setTried(true);
    const refused = refusalOf(choice);
    if (refused === undefined) submit.mutate();
    else document.getElementById(`read-${refused.field}`)?.focus();
  };
  if (!may)
    return (
      <>
        <PageHead title="Read now" />
        <p className="notice">Your role does not read meters. Operators, supervisors and analysts do.</p>
      </>
    );

  return (
    <>
      <PageHead title="Read now" about="Asks meters at once, outside their schedules" />
      <form className="card" onSubmit={send} noValidate>
        <div className="columns">
          <fieldset>
            <legend>Which meters</legend>
            <Radio
              name="target"
              value="all"
              text="All meters"
              chosen={choice.target}
              choose={(target) => change({ target })}
            />
            <Radio
              name="target"
              value="group"
              text="A group"
              chosen={choice.target}
              choose={(target) => change({ target })}
            />
            <Radio
              name="target"
              value="query"
              text="What a query finds"
              chosen={choice.target}
              choose={(target) => change({ target })}
            />
            <Radio
              name="target"
              value="meter"
              text="One meter"
              chosen={choice.target}
              choose={(target) => change({ target })}
            />
            {choice.target === "group" && (
              <div className="field">
                <label htmlFor="read-group">Group</label>
                <select
                  id="read-group"
                  value={choice.group}
                  aria-describedby={refusal === undefined ? undefined : "read-refusal"}
                  onChange={(event) => change({ group: event.target.value })}
                >
                  <option value="">Choose…</option>
                  {groups.data?.groups.map(({ group, meters }) => (
                    <option key={group} value={group}>
                      {group} ({count(meters)})
                    </option>
                  ))}
                </select>
              </div>
            )}
            {choice.target === "query" && (
              <div className="field">
                <label htmlFor="read-query">Query</label>
                <select
                  id="read-query"
                  value={choice.query}
                  aria-describedby={refusal === undefined ? undefined : "read-refusal"}
                  onChange={(event) => change({ query: event.target.value })}
                >
                  <option value="">Choose…</option>
                  {stored.data?.queries
                    .filter(({ over }) => over === "meters")
                    .map(({ name }) => (
                      <option key={name} value={name}>
                        {name}
                      </option>
                    ))}
                </select>
              </div>
            )}
            {choice.target === "meter" && (
              <div className="field">
                <label htmlFor="read-meterId">Meter id</label>
                <input
                  id="read-meterId"
                  autoComplete="off"
                  spellCheck={false}
                  maxLength={64}
                  value={choice.meterId}
                  aria-invalid={refusal !== undefined}
                  aria-describedby={refusal === undefined ? undefined : "read-refusal"}
                  onChange={(event) => change({ meterId: event.target.value })}
                />
              </div>
            )}
            {refusal !== undefined && (
              <p className="refusal" id="read-refusal" role="alert">
                {refusal.expected}
              </p>
            )}
          </fieldset>
          <fieldset>
            <legend>What to read</legend>
            <Radio
              name="what"
              value="intervals"
              text="Intervals of the last 24 hours, and the totals"
              chosen={choice.what}
              choose={(what) => change({ what })}
            />
            <Radio
              name="what"
              value="registers"
              text="All registers, as they stand"
              chosen={choice.what}
              choose={(what) => change({ what })}
            />
          </fieldset>
        </div>
        <div className="field">
          <label htmlFor="read-reason">Why (for the record, may stay empty)</label>
          <input
            id="read-reason"
            maxLength={500}
            value={choice.reason}
            onChange={(event) => change({ reason: event.target.value })}
          />
        </div>
        {groups.isError && choice.target === "group" && (
          <ProblemView error={groups.error} retry={() => void groups.refetch()} />
        )}
        {submit.isError && <ProblemView error={submit.error} />}
        <div className="row">
          <button type="submit" className="primary" disabled={submit.isPending}>
            {submit.isPending ? "Asking…" : "Start the read"}
          </button>
        </div>
      </form>
    </>
  );
}
