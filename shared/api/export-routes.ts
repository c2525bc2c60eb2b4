import { ExportInApi, ExportList, ExportPath, ExportSubmission, ExportWithFiles } from "./exports.ts";
import type { ApiRoute } from "./route.ts";
import { EXPORTS } from "./route-roles.ts";

/** Stored readings as files. Part of the one table (`routes.ts`). */
export const exportRoutes = {
  createExport: {
    method: "POST",
    path: "/exports",
    function: "manage-exports",
    summary: "Write stored readings to files, CSV or Parquet",
    roles: EXPORTS,
    request: ExportSubmission,
    response: ExportInApi,
    statuses: [202],
  },
  listExports: {
    method: "GET",
    path: "/exports",
    function: "manage-exports",
    summary: "Exports, newest first; a subscriber's own and the daily ones",
    roles: EXPORTS,
    response: ExportList,
    statuses: [200],
  },
  readExport: {
    method: "GET",
    path: "/exports/{exportId}",
    function: "manage-exports",
    summary: "One export, with links to its files and its manifest when it is done",
    roles: EXPORTS,
    params: ExportPath,
    response: ExportWithFiles,
    statuses: [200],
  },
} as const satisfies Readonly<Record<string, ApiRoute>>;
