import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import type { Answer } from "../api/client.ts";
import { ProblemView } from "../api/problem-view.tsx";
import { useApi } from "../api/use-api.ts";
import { Badge } from "../figures/badge.tsx";
import { count, counted } from "../figures/scaled-decimal.ts";
import { type Column, LongTable } from "../long-table/long-table.tsx";
import { Link } from "../shell/link.tsx";
import { useQueryParameter } from "../shell/location.ts";
import { PageHead } from "../shell/page-head.tsx";
import { meterPath } from "../shell/pages.ts";
import { useMay } from "../sign-in/use-session.ts";
import { useSettled } from "./use-settled.ts";

export type FleetMeter = Answer<"listMeters">["meters"][number];

const NONE = <span className="muted">–</span>;

export function MeterState({ state }: { readonly state: FleetMeter["state"] }) {
  if (state === "enrolled") return <Badge tone="good" shape="tick" text="enrolled" />;
  if (state === "enrolling") return <Badge tone="calm" shape="clock" text="enrolling" />;
  return <Badge tone="quiet" shape="dash" text="retired" />;
}

const COLUMNS: readonly Column<FleetMeter>[] = [
  { head: "Meter", width: 15, cell: (meter) => <Link to={meterPath(meter.meterId)}>{meter.meterId}</Link> },
  { head: "Serial", width: 13, cell: (meter) => <span className="mono">{meter.serial}</span> },
  { head: "Commodity", width: 9, cell: (meter) => meter.commodity },
  { head: "Profile", width: 19, cell: (meter) => meter.profile.name },
  { head: "Feeder", width: 11, cell: (meter) => meter.memberships.feeder ?? NONE },
  { head: "Transformer", width: 11, cell: (meter) => meter.memberships.transformer ?? NONE },
  { head: "Collector", width: 10, cell: (meter) => meter.memberships.collector ?? NONE },
  { head: "State", width: 12, cell: (meter) => <MeterState state={meter.state} /> },
];

const PAGE_SIZE = "200";
/** Typing settles before the headend is asked. */
const SETTLE_MS = 250;

export function FleetPage() {
  const api = useApi();
  const mayRead = useMay("submitJob");
  const [typed, setTyped] = useQueryParameter("search");
  const [group, setGroup] = useQueryParameter("group");
  const search = useSettled(typed.trim(), SETTLE_MS);

  const groups = useQuery({
    queryKey: ["listGroups"],
    queryFn: ({ signal }) => api("listGroups", {}, { signal }),
    staleTime: 60_000,
  });
  const fleet = useInfiniteQuery({
    queryKey: ["listMeters", search, group],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      api(
        "listMeters",
        {
          query: {
            limit: PAGE_SIZE,
            ...(search === "" ? {} : { search }),
            ...(group === "" ? {} : { group }),
            ...(pageParam === undefined ? {} : { cursor: pageParam }),
          },
        },
        { signal },
      ),
    getNextPageParam: (page) => page.cursor,
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });
  const rows = useMemo(() => fleet.data?.pages.flatMap((page) => page.meters) ?? [], [fleet.data]);
  const { fetchNextPage } = fleet;
  const load = useCallback(() => void fetchNextPage({ cancelRefetch: false }), [fetchNextPage]);
  const shown = fleet.hasNextPage
    ? `${counted(rows.length, "meter")} loaded, more below`
    : counted(rows.length, "meter");

  return (
    <>
      <PageHead title="Fleet" about="Every meter of this deployment">
        {mayRead && (
          <Link className="button primary" to="/jobs/new">
            Read now
          </Link>
        )}
      </PageHead>
      <search className="row end">
        <div className="field">
          <label htmlFor="fleet-search">Meter id (its beginning), serial or system title</label>
          <input
            id="fleet-search"
            type="search"
            size={34}
            maxLength={64}
            autoComplete="off"
            spellCheck={false}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
        </div>
        <div className="field">
          <label htmlFor="fleet-group">Group</label>
          <select id="fleet-group" value={group} onChange={(event) => setGroup(event.target.value)}>
            <option value="">All groups</option>
            {group !== "" && groups.data?.groups.every((one) => one.group !== group) !== false && (
              <option value={group}>{group}</option>
            )}
            {groups.data?.groups.map((one) => (
              <option key={one.group} value={one.group}>
                {one.group} ({count(one.meters)})
              </option>
            ))}
          </select>
        </div>
        <p className="muted small" aria-live="polite">
          {fleet.isPending ? "Loading…" : fleet.isPlaceholderData ? "Searching…" : shown}
        </p>
      </search>
      {fleet.isError && <ProblemView error={fleet.error} retry={() => void fleet.refetch()} />}
      {fleet.isSuccess && (
        <div className="card flush">
          {rows.length === 0 ? (
            <p className="empty">
              {search === "" && group === ""
                ? "No meter is enrolled yet."
                : "No meter fits. Look for the beginning of a meter id, or for a whole serial or system title."}
            </p>
          ) : (
            <LongTable
              label="Meters"
              size="tall"
              columns={COLUMNS}
              rows={rows}
              keyOf={(meter) => meter.meterId}
              more={{ has: fleet.hasNextPage, loading: fleet.isFetchingNextPage || fleet.isError, load }}
            />
          )}
        </div>
      )}
    </>
  );
}
