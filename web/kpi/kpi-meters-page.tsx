import { useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import type { Answer, CallInput } from "../api/client.ts";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { Instant } from "../figures/instant-text.tsx";
import { type Column, LongTable } from "../long-table/long-table.tsx";
import { Link } from "../shell/link.tsx";
import { useSearch } from "../shell/location.ts";
import { PageHead } from "../shell/page-head.tsx";
import { meterPath } from "../shell/pages.ts";
import { type Behind, behindOf, behindText } from "./kpi-text.ts";

type KpiMeter = Answer<"listKpiMeters">["meters"][number];

const COLUMNS: readonly Column<KpiMeter>[] = [
  { head: "Meter", width: 22, cell: ({ meterId }) => <Link to={meterPath(meterId)}>{meterId}</Link> },
  {
    head: "Last answer",
    width: 26,
    cell: ({ facts }) => (facts?.contactAt === undefined ? "never" : <Instant at={facts.contactAt} />),
  },
  {
    head: "Last failure",
    width: 22,
    cell: ({ facts }) => (facts === undefined || facts.reason === "none" ? "" : facts.reason),
  },
  { head: "Switch", width: 14, cell: ({ facts }) => facts?.switch?.position ?? "" },
];

function MetersBehind({ behind }: { readonly behind: Behind }) {
  const api = useApi();
  const list = useInfiniteQuery({
    queryKey: ["listKpiMeters", behind],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      api(
        "listKpiMeters",
        // The API says what it expects where the address was written by hand.
        {
          query: {
            ...behind,
            limit: "200",
            ...(pageParam === undefined ? {} : { cursor: pageParam }),
          } as CallInput<"listKpiMeters">["query"],
        },
        { signal },
      ),
    getNextPageParam: (page) => page.cursor,
  });
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.meters) ?? [], [list.data]);
  const { fetchNextPage } = list;
  const load = useCallback(() => void fetchNextPage({ cancelRefetch: false }), [fetchNextPage]);
  const asOf = list.data?.pages[0]?.asOf;
  return (
    <>
      <PageHead
        title={behindText(behind)}
        about={
          asOf === undefined ? undefined : (
            <>
              As of <Instant at={asOf} />
            </>
          )
        }
      >
        <Link to="/kpis" className="button">
          Key figures
        </Link>
      </PageHead>
      {list.isPending && <p className="muted">Loading…</p>}
      {list.isError && <ProblemView error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess &&
        (rows.length === 0 && !list.hasNextPage ? (
          <p className="muted">No meter is on this list now.</p>
        ) : (
          <LongTable
            label="Meters"
            size="tall"
            columns={COLUMNS}
            rows={rows}
            keyOf={({ meterId }) => meterId}
            more={{ has: list.hasNextPage, loading: list.isFetchingNextPage || list.isError, load }}
          />
        ))}
    </>
  );
}

export default function KpiMetersPage() {
  const query = useSearch();
  const behind = useMemo(() => behindOf(new URLSearchParams(query)), [query]);
  if (behind === undefined)
    return (
      <>
        <PageHead title="No such list" />
        <p>
          Go to the <Link to="/kpis">key figures</Link>.
        </p>
      </>
    );
  return <MetersBehind behind={behind} />;
}
