import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useState } from "react";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { Instant } from "../figures/instant-text.tsx";
import { count } from "../figures/scaled-decimal.ts";
import { goTo, useQueryParameter } from "../shell/location.ts";
import { PageHead } from "../shell/page-head.tsx";
import { useMay } from "../sign-in/use-session.ts";
import { GroupBox, GroupHead, lineOf } from "./group-box.tsx";
import {
  askedOf,
  choiceOf,
  choiceRefusal,
  type GroupChoice,
  nextId,
  type QueryAsked,
  type QueryChoice,
  type QueryField,
} from "./query-choice.ts";
import { QueryRows } from "./query-rows.tsx";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const ROLES = ["operator", "supervisor", "analyst", "administrator", "subscriber"] as const;
type SharedWith = "private" | "everyone" | (typeof ROLES)[number];

interface SelectProps<Value extends string> {
  readonly id: string;
  readonly text: string;
  readonly value: Value;
  readonly options: readonly (readonly [Value, string])[];
  readonly choose: (value: Value) => void;
}

function Select<Value extends string>({ id, text, value, options, choose }: SelectProps<Value>) {
  return (
    <div className="field">
      <label htmlFor={id}>{text}</label>
      <select id={id} value={value} onChange={(event) => choose(event.target.value as Value)}>
        {options.map(([one, shown]) => (
          <option key={one} value={one}>
            {shown}
          </option>
        ))}
      </select>
    </div>
  );
}

/** Builds a filter, shows what it finds, and saves it under a name. */
export default function NewQueryPage() {
  const api = useApi();
  const may = useMay("createQuery");
  const fields = useQuery({
    queryKey: ["listQueryFields"],
    queryFn: ({ signal }) => api("listQueryFields", {}, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const [copy] = useQueryParameter("copy");
  const copied = useQuery({
    queryKey: ["readQuery", copy],
    queryFn: ({ signal }) => api("readQuery", { params: { query: copy } }, { signal }),
    enabled: copy !== "",
  });
  if (!may)
    return (
      <>
        <PageHead title="New query" />
        <p className="notice">Your role saves no queries. Operators, supervisors and analysts do.</p>
      </>
    );
  return (
    <>
      <PageHead title="New query" about="Meters or jobs by what is known of them" />
      {fields.isPending && <p className="muted">Loading…</p>}
      {fields.isError && <ProblemView error={fields.error} retry={() => void fields.refetch()} />}
      {copied.isError && <ProblemView error={copied.error} />}
      {fields.data !== undefined && (copy === "" || copied.data !== undefined) && (
        <QueryForm
          fields={fields.data}
          given={copied.data === undefined ? undefined : choiceOf(copied.data.over, copied.data.filter)}
        />
      )}
    </>
  );
}

const START = "lastCommunication";
const groupOf = (fields: readonly QueryField[], id: number): GroupChoice => {
  const line = lineOf(fields, START, id + 1);
  return { id, join: "all", not: false, of: line === undefined ? [] : [line] };
};

interface FormProps {
  readonly fields: Readonly<Record<QueryChoice["over"], readonly QueryField[]>> & {
    readonly levels: number;
    readonly nodes: number;
  };
  /** Another query, of which this one is to be a copy. */
  readonly given: QueryChoice | undefined;
}

function QueryForm({ fields, given }: FormProps) {
  const api = useApi();
  const queries = useQueryClient();
  const [choice, setChoice] = useState<QueryChoice>(() => given ?? { over: "meters", root: groupOf(fields.meters, 1) });
  const [name, setName] = useState("");
  const [sharedWith, share] = useState<SharedWith>("private");
  const [tried, setTried] = useState<"preview" | "save">();
  const preview = useMutation({ mutationFn: (request: QueryAsked) => api("previewQuery", { request }) });
  const change = (part: Partial<QueryChoice>) => {
    setChoice({ ...choice, ...part });
    preview.reset(); // what was found is not what is asked any more
  };
  const save = useMutation({
    mutationFn: () => {
      const sharing =
        sharedWith === "private" || sharedWith === "everyone"
          ? { kind: sharedWith }
          : { kind: "roles" as const, roles: [sharedWith] };
      return api("createQuery", { request: { ...askedOf(choice), name: name.trim(), sharing } });
    },
    onSuccess: async ({ name: saved }) => {
      await queries.invalidateQueries({ queryKey: ["listQueries"] });
      goTo(`/queries?show=${encodeURIComponent(saved)}`);
    },
  });
  const known = fields[choice.over];
  const refusal = tried === undefined ? undefined : choiceRefusal(choice.root, known);
  const nameRefused = tried === "save" && !NAME.test(name.trim());

  /** Whether the conditions are as expected; else the first that is not gets the focus. */
  const ready = (why: "preview" | "save"): boolean => {
    setTried(why);
    const refused = choiceRefusal(choice.root, known);
    if (refused !== undefined) document.getElementById(`condition-${refused.id}-value`)?.focus();
    return refused === undefined;
  };
  const show = () => {
    if (ready("preview")) preview.mutate(askedOf(choice));
  };
  const send = (event: SubmitEvent) => {
    event.preventDefault();
    if (!ready("save")) return;
    if (NAME.test(name.trim())) save.mutate();
    else document.getElementById("query-name")?.focus();
  };
  const found = preview.data;
  const matches = found?.over === "jobs" ? found.jobs : found?.meters;
  return (
    <form className="card" onSubmit={send} noValidate>
      <div className="row">
        <Select
          id="query-over"
          text="Find"
          value={choice.over}
          options={[
            ["meters", "meters"],
            ["jobs", "jobs"],
          ]}
          choose={(over) => change({ over, root: groupOf(fields[over], nextId(choice.root)) })}
        />
        <GroupHead
          root={choice.root}
          group={choice.root}
          number=""
          limits={fields}
          change={(root) => change({ root })}
        />
      </div>
      <GroupBox
        root={choice.root}
        group={choice.root}
        number=""
        fields={known}
        limits={fields}
        refusal={refusal}
        change={(root) => change({ root })}
        lineFor={(id) => lineOf(known, START, id)}
      />
      <div className="row">
        <button type="button" onClick={show} disabled={preview.isPending}>
          {preview.isPending ? "Asking…" : "Preview"}
        </button>
      </div>
      {preview.isError && <ProblemView error={preview.error} />}
      <div aria-live="polite">
        {found !== undefined && (
          <p>
            {found.sentence} <strong data-matches>{count(matches ?? 0)}</strong>{" "}
            {found.complete ? "match" : "at least match"}, as of <Instant at={found.asOf} />.
          </p>
        )}
      </div>
      {found !== undefined && <QueryRows over={found.over} rows={found.rows} fields={known} />}
      <div className="row">
        <div className="field">
          <label htmlFor="query-name">Name to save it under</label>
          <input
            id="query-name"
            autoComplete="off"
            spellCheck={false}
            maxLength={64}
            value={name}
            aria-invalid={nameRefused}
            aria-describedby={nameRefused ? "query-refusal" : undefined}
            onChange={(event) => setName(event.target.value)}
          />
        </div>
        <Select
          id="query-sharing"
          text="Shared with"
          value={sharedWith}
          options={[
            ["private", "nobody"],
            ["everyone", "everyone"],
            ...ROLES.map((role) => [role, `${role}s`] as const),
          ]}
          choose={share}
        />
      </div>
      {nameRefused && (
        <p className="refusal" id="query-refusal" role="alert">
          Expected 1 to 64 letters, digits, '.', '_' or '-', beginning with a letter or digit.
        </p>
      )}
      {save.isError && <ProblemView error={save.error} />}
      <div className="row">
        <button type="submit" className="primary" disabled={save.isPending}>
          {save.isPending ? "Saving…" : "Save the query"}
        </button>
      </div>
    </form>
  );
}
