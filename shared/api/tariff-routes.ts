import type { ApiRoute } from "./route.ts";
import { ASKS, GUARDS, SEES } from "./route-roles.ts";
import {
  RolloutAccepted,
  RolloutBody,
  TariffBody,
  TariffInApi,
  TariffList,
  TariffPath,
  TariffReport,
  TariffReportQuery,
} from "./tariffs.ts";

const BEHIND = "/tariffs/{path+}";

/** Tariffs by version, bringing one onto meters, and how they stand to it. */
export const tariffRoutes = {
  listTariffVersions: {
    method: "GET",
    path: "/tariffs",
    function: "manage-tariffs",
    summary: "All versions of all tariffs",
    roles: SEES,
    response: TariffList,
    statuses: [200],
  },
  readTariffVersion: {
    method: "GET",
    path: "/tariffs/{tariffId}/versions/{version}",
    behind: BEHIND,
    function: "manage-tariffs",
    summary: "One version of a tariff",
    roles: SEES,
    params: TariffPath,
    response: TariffInApi,
    statuses: [200],
  },
  putTariffVersion: {
    method: "PUT",
    path: "/tariffs/{tariffId}/versions/{version}",
    behind: BEHIND,
    function: "manage-tariffs",
    summary: "Make a version of a tariff; it never changes after",
    roles: GUARDS,
    params: TariffPath,
    request: TariffBody,
    response: TariffInApi,
    statuses: [200, 201],
  },
  rolloutTariff: {
    method: "POST",
    path: "/tariffs/{tariffId}/versions/{version}/rollouts",
    function: "submit-job",
    summary: "Bring a version onto meters: a job that programs it, and one that proves it after its time",
    roles: ASKS,
    params: TariffPath,
    request: RolloutBody,
    response: RolloutAccepted,
    statuses: [202],
  },
  reportTariff: {
    method: "GET",
    path: "/tariffs/{tariffId}/versions/{version}/meters",
    behind: BEHIND,
    function: "manage-tariffs",
    summary: "How meters stand to a version, as they last showed it",
    roles: SEES,
    params: TariffPath,
    query: TariffReportQuery,
    response: TariffReport,
    statuses: [200],
  },
} as const satisfies Readonly<Record<string, ApiRoute>>;
