import { KpiHistory, KpiHistoryQuery, KpiMeters, KpiMetersQuery, Kpis } from "./kpis.ts";
import type { ApiRoute } from "./route.ts";
import { SEES } from "./route-roles.ts";

/** Key figures of the fleet, and the meters behind each. */
export const kpiRoutes = {
  readKpis: {
    method: "GET",
    path: "/kpis",
    function: "read-kpis",
    summary: "Key figures of the fleet now",
    roles: SEES,
    response: Kpis,
    statuses: [200],
  },
  readKpiHistory: {
    method: "GET",
    path: "/kpis/history",
    function: "read-kpis",
    summary: "Key figures by UTC day",
    roles: SEES,
    query: KpiHistoryQuery,
    response: KpiHistory,
    statuses: [200],
  },
  listKpiMeters: {
    method: "GET",
    path: "/kpis/meters",
    function: "read-kpis",
    summary: "The meters behind a key figure",
    roles: SEES,
    query: KpiMetersQuery,
    response: KpiMeters,
    statuses: [200],
  },
} as const satisfies Readonly<Record<string, ApiRoute>>;
