import type { RouteName, Routes } from "../../shared/api/routes.ts";

/** Method, path and roles of the routes that the console calls. */
export type ConsoleRoute = keyof typeof PATHS;

type Told = { readonly [N in RouteName]: Pick<Routes[N], "method" | "path" | "roles"> };

/**
 * The console's part of the route table. It repeats three fields of `shared/api/routes.ts`, because importing the table
 * itself would bring every schema and the validator into the first load. The compiler refuses a row that says anything
 * else than the table.
 */
export const PATHS = {
  submitJob: { method: "POST", path: "/jobs", roles: ["operator", "supervisor", "analyst"] },
  listJobs: { method: "GET", path: "/jobs", roles: ["operator", "supervisor", "analyst", "administrator"] },
  readJob: { method: "GET", path: "/jobs/{jobId}", roles: ["operator", "supervisor", "analyst", "administrator"] },
  listTasks: {
    method: "GET",
    path: "/jobs/{jobId}/tasks",
    roles: ["operator", "supervisor", "analyst", "administrator"],
  },
  cancelJob: { method: "POST", path: "/jobs/{jobId}/cancel", roles: ["operator", "supervisor", "analyst"] },
  listMeters: { method: "GET", path: "/meters", roles: ["operator", "supervisor", "analyst", "administrator"] },
  readMeter: {
    method: "GET",
    path: "/meters/{meterId}",
    roles: ["operator", "supervisor", "analyst", "administrator"],
  },
  readReadings: {
    method: "GET",
    path: "/meters/{meterId}/readings",
    roles: ["operator", "supervisor", "analyst", "administrator"],
  },
  listGroups: { method: "GET", path: "/groups", roles: ["operator", "supervisor", "analyst", "administrator"] },
  listSchedules: { method: "GET", path: "/schedules", roles: ["operator", "supervisor", "analyst", "administrator"] },
  listParked: { method: "GET", path: "/parked/{queue}", roles: ["operator", "supervisor", "administrator"] },
  replayParked: {
    method: "POST",
    path: "/parked/{queue}/replay",
    roles: ["operator", "supervisor", "administrator"],
  },
} as const satisfies Partial<Told>;
