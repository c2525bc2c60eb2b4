import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ProblemView } from "./problem-view.tsx";

/** What was asked for, once it is there; until then that it is being loaded, or why it cannot be. */
export function Loaded<T>({
  query,
  children,
}: {
  readonly query: UseQueryResult<T>;
  readonly children: (data: T) => ReactNode;
}) {
  return (
    <>
      {query.isPending && <p className="muted">Loading…</p>}
      {query.isError && <ProblemView error={query.error} retry={() => void query.refetch()} />}
      {query.data !== undefined && children(query.data)}
    </>
  );
}
