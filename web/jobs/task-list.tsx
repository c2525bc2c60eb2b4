import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import type { Answer } from "../api/client.ts";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { Badge, type Shape, type Tone } from "../figures/badge.tsx";
import { type Column, LongTable } from "../long-table/long-table.tsx";
import { Link } from "../shell/link.tsx";
import { useQueryParameter } from "../shell/location.ts";
import { meterPath } from "../shell/pages.ts";

type Task = Answer<"listTasks">["tasks"][number];

const LOOKS: Readonly<Record<Task["state"], readonly [Tone, Shape]>> = {
  open: ["calm", "ring"],
  done: ["good", "tick"],
  failed: ["bad", "cross"],
  expired: ["warn", "clock"],
  cancelled: ["quiet", "dash"],
};
const STATES = Object.keys(LOOKS) as readonly Task["state"][];
const isState = (text: string): text is Task["state"] => (STATES as readonly string[]).includes(text);

const COLUMNS: readonly Column<Task>[] = [
  { head: "Meter", width: 18, cell: (task) => <Link to={meterPath(task.meterId)}>{task.meterId}</Link> },
  {
    head: "State",
    width: 12,
    cell: (task) => {
      const [tone, shape] = LOOKS[task.state];
      return <Badge tone={tone} shape={shape} text={task.state} />;
    },
  },
  {
    head: "Reason",
    width: 20,
    cell: (task) =>
      task.reason === undefined ? "" : `${task.reason}${task.state === "open" ? ", is tried again" : ""}`,
  },
  {
    head: "What to do",
    width: 50,
    cell: (task) => (task.hint === undefined ? "" : <span className="hint">{task.hint}</span>),
  },
];

const LIVE_MS = 5000;

/** How each meter of a job stands, by state. */
export function TaskList({ jobId, live }: { readonly jobId: string; readonly live: boolean }) {
  const api = useApi();
  const [chosen, choose] = useQueryParameter("state");
  const state = isState(chosen) ? chosen : undefined;
  const tasks = useInfiniteQuery({
    // A job that ends is asked for once more: what was open has an outcome now.
    queryKey: ["listTasks", jobId, state, live],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      api(
        "listTasks",
        {
          params: { jobId },
          query: {
            limit: "200",
            ...(state === undefined ? {} : { state }),
            ...(pageParam === undefined ? {} : { cursor: pageParam }),
          },
        },
        { signal },
      ),
    getNextPageParam: (page) => page.cursor,
    placeholderData: keepPreviousData,
    refetchInterval: live ? LIVE_MS : false,
  });
  const rows = useMemo(() => tasks.data?.pages.flatMap((page) => page.tasks) ?? [], [tasks.data]);
  const { fetchNextPage } = tasks;
  const load = useCallback(() => void fetchNextPage({ cancelRefetch: false }), [fetchNextPage]);

  return (
    <section className="card" aria-labelledby="tasks">
      <div className="head">
        <h2 id="tasks">Tasks</h2>
        <div className="row">
          <label htmlFor="task-state">Show</label>
          <select id="task-state" value={state ?? ""} onChange={(event) => choose(event.target.value)}>
            <option value="">all states</option>
            {STATES.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        </div>
      </div>
      {tasks.isError && <ProblemView error={tasks.error} retry={() => void tasks.refetch()} />}
      {tasks.isPending && <p className="muted">Loading…</p>}
      {tasks.isSuccess &&
        (rows.length === 0 ? (
          <p className="muted">{state === undefined ? "No tasks yet." : `No task is ${state}.`}</p>
        ) : (
          <LongTable
            label="Tasks"
            size="short"
            columns={COLUMNS}
            rows={rows}
            keyOf={(task) => task.meterId}
            more={{ has: tasks.hasNextPage, loading: tasks.isFetchingNextPage || tasks.isError, load }}
          />
        ))}
    </section>
  );
}
