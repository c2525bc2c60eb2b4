import { useQuery } from "@tanstack/react-query";
import type { Answer } from "../api/client.ts";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { Instant } from "../figures/instant-text.tsx";
import { Link } from "../shell/link.tsx";
import { useQueryParameter } from "../shell/location.ts";
import { PageHead } from "../shell/page-head.tsx";
import { useMay } from "../sign-in/use-session.ts";
import { ActOnJobs } from "./act-on-jobs.tsx";
import { sharingText } from "./query-choice.ts";
import { QueryRows } from "./query-rows.tsx";

type Stored = Answer<"readQuery">;

/** What a stored query finds now. */
function Result({ name }: { readonly name: string }) {
  const api = useApi();
  const mayAct = useMay("actOnJobs");
  const fields = useQuery({
    queryKey: ["listQueryFields"],
    queryFn: ({ signal }) => api("listQueryFields", {}, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const found = useQuery({
    queryKey: ["runQuery", name],
    queryFn: ({ signal }) => api("runQuery", { params: { query: name }, query: { limit: "100" } }, { signal }),
  });
  if (found.isError) return <ProblemView error={found.error} retry={() => void found.refetch()} />;
  if (found.data === undefined || fields.data === undefined) return <p className="muted">Asking…</p>;
  const { over, rows, asOf, cursor } = found.data;
  return (
    <div className="card flush">
      <h2>
        {name}: {cursor === undefined ? "all matches" : `the first ${rows.length} matches`}
      </h2>
      <p className="muted small">
        As of <Instant at={asOf} />
      </p>
      <QueryRows over={over} rows={rows} fields={fields.data[over]} />
      {over === "jobs" && rows.length > 0 && mayAct && <ActOnJobs key={name} query={name} />}
    </div>
  );
}

interface LineProps {
  readonly query: Stored;
  readonly mayRead: boolean;
  readonly mayCreate: boolean;
  readonly show: (name: string) => void;
}

function QueryLine({ query, mayRead, mayCreate, show }: LineProps) {
  const { name, description, sentence, over, sharing, caller } = query;
  return (
    <tr>
      <th scope="row">
        {name}
        <span className="small muted job-about">{description ?? `of ${caller.name ?? caller.id}`}</span>
      </th>
      <td>{sentence}</td>
      <td>{sharingText(sharing)}</td>
      <td>
        <span className="row">
          <button type="button" onClick={() => show(name)}>
            Show<span className="unseen"> what {name} finds</span>
          </button>
          {mayCreate && (
            <Link to={`/queries/new?copy=${encodeURIComponent(name)}`} className="button">
              Copy<span className="unseen"> {name} and change it</span>
            </Link>
          )}
          {over === "meters" && mayRead && (
            <Link to={`/jobs/new?query=${encodeURIComponent(name)}`} className="button">
              Read<span className="unseen"> the meters of {name}</span>
            </Link>
          )}
        </span>
      </td>
    </tr>
  );
}

/** The queries that the caller may use, and what one of them finds. */
export default function QueriesPage() {
  const api = useApi();
  const mayCreate = useMay("createQuery");
  const mayRead = useMay("submitJob");
  const [shown, show] = useQueryParameter("show");
  const list = useQuery({ queryKey: ["listQueries"], queryFn: ({ signal }) => api("listQueries", {}, { signal }) });
  return (
    <>
      <PageHead title="Queries" about="Questions about meters and jobs, kept by name">
        {mayCreate && (
          <Link to="/queries/new" className="button primary">
            New query
          </Link>
        )}
      </PageHead>
      {list.isPending && <p className="muted">Loading…</p>}
      {list.isError && <ProblemView error={list.error} retry={() => void list.refetch()} />}
      {list.data !== undefined && (
        <div className="card flush">
          {list.data.queries.length === 0 ? (
            <p className="empty">No query yet.</p>
          ) : (
            // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable by keyboard
            <section className="scroll" aria-label="Queries" tabIndex={0}>
              <table>
                <thead>
                  <tr>
                    <th scope="col">Query</th>
                    <th scope="col">What it asks</th>
                    <th scope="col">Shared with</th>
                    <th scope="col">
                      <span className="unseen">Show or read</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {list.data.queries.map((query) => (
                    <QueryLine key={query.name} query={query} mayRead={mayRead} mayCreate={mayCreate} show={show} />
                  ))}
                </tbody>
              </table>
            </section>
          )}
        </div>
      )}
      {shown !== "" && <Result key={shown} name={shown} />}
    </>
  );
}
