import type { RouteName, Routes } from "../../shared/api/routes.ts";

/** Method, path and roles of the routes that the console calls. */
export type ConsoleRoute = keyof typeof PATHS;

type Told = { readonly [N in RouteName]: Pick<Routes[N], "method" | "path" | "roles"> };

const READS = ["operator", "supervisor", "analyst"] as const;
const ASKS = [...READS, "subscriber"] as const;
const SEES = [...READS, "administrator"] as const;
const LOOKS = [...SEES, "subscriber"] as const;
const ORDERS = ["operator", "supervisor"] as const;
const KEEPS = ["operator", "supervisor", "administrator"] as const;
const STEERS = [...KEEPS, "subscriber"] as const;

/**
 * The console's part of the route table. It repeats three fields of `shared/api/routes.ts`, because importing the table
 * itself would bring every schema and the validator into the first load. The compiler refuses a row that says anything
 * else than the table.
 */
export const PATHS = {
  submitJob: { method: "POST", path: "/jobs", roles: ASKS },
  listJobs: { method: "GET", path: "/jobs", roles: LOOKS },
  readJob: { method: "GET", path: "/jobs/{jobId}", roles: LOOKS },
  listTasks: { method: "GET", path: "/jobs/{jobId}/tasks", roles: LOOKS },
  cancelJob: { method: "POST", path: "/jobs/{jobId}/cancel", roles: ASKS },
  pauseJob: { method: "POST", path: "/jobs/{jobId}/pause", roles: ASKS },
  resumeJob: { method: "POST", path: "/jobs/{jobId}/resume", roles: ASKS },
  cloneJob: { method: "POST", path: "/jobs/{jobId}/clone", roles: ASKS },
  approveJob: { method: "POST", path: "/jobs/{jobId}/approve", roles: ["supervisor"] },
  readAuthority: { method: "GET", path: "/authority", roles: SEES },
  setStop: { method: "POST", path: "/stops", roles: ORDERS },
  liftStop: { method: "POST", path: "/stops/{stopId}/lift", roles: ["supervisor"] },
  liftMoratorium: { method: "POST", path: "/moratoria/{moratoriumId}/lift", roles: ["supervisor"] },
  listFailures: { method: "GET", path: "/failures", roles: LOOKS },
  listMeters: { method: "GET", path: "/meters", roles: LOOKS },
  readMeter: { method: "GET", path: "/meters/{meterId}", roles: LOOKS },
  exchangeMeter: { method: "POST", path: "/meters/{meterId}/exchange", roles: ["administrator"] },
  retireMeter: { method: "POST", path: "/meters/{meterId}/retirement", roles: ["administrator"] },
  readReadings: { method: "GET", path: "/meters/{meterId}/readings", roles: LOOKS },
  readKpis: { method: "GET", path: "/kpis", roles: SEES },
  readKpiHistory: { method: "GET", path: "/kpis/history", roles: SEES },
  listKpiMeters: { method: "GET", path: "/kpis/meters", roles: SEES },
  listGroups: { method: "GET", path: "/groups", roles: LOOKS },
  listQueries: { method: "GET", path: "/queries", roles: LOOKS },
  listQueryFields: { method: "GET", path: "/query-fields", roles: LOOKS },
  createQuery: { method: "POST", path: "/queries", roles: READS },
  previewQuery: { method: "POST", path: "/queries/preview", roles: LOOKS },
  readQuery: { method: "GET", path: "/queries/{query}", roles: LOOKS },
  actOnJobs: { method: "POST", path: "/queries/{query}/actions", roles: ASKS },
  runQuery: { method: "GET", path: "/queries/{query}/rows", roles: LOOKS },
  listSchedules: { method: "GET", path: "/schedules", roles: LOOKS },
  createSchedule: { method: "POST", path: "/schedules", roles: ASKS },
  changeSchedule: { method: "PUT", path: "/schedules/{scheduleId}", roles: LOOKS },
  deleteSchedule: { method: "DELETE", path: "/schedules/{scheduleId}", roles: LOOKS },
  pauseSchedule: { method: "POST", path: "/schedules/{scheduleId}/pause", roles: LOOKS },
  resumeSchedule: { method: "POST", path: "/schedules/{scheduleId}/resume", roles: LOOKS },
  previewSchedule: { method: "POST", path: "/schedules/preview", roles: LOOKS },
  listCalendars: { method: "GET", path: "/calendars", roles: LOOKS },
  listSubscriptions: { method: "GET", path: "/subscriptions", roles: LOOKS },
  pauseSubscription: { method: "POST", path: "/subscriptions/{subscriptionId}/pause", roles: STEERS },
  resumeSubscription: { method: "POST", path: "/subscriptions/{subscriptionId}/resume", roles: STEERS },
  deleteSubscription: { method: "DELETE", path: "/subscriptions/{subscriptionId}", roles: STEERS },
  listParked: { method: "GET", path: "/parked/{queue}", roles: KEEPS },
  replayParked: { method: "POST", path: "/parked/{queue}/replay", roles: KEEPS },
  listOutages: { method: "GET", path: "/outages", roles: SEES },
  readOutage: { method: "GET", path: "/outages/{outageId}", roles: SEES },
  listPrepaymentPolicies: { method: "GET", path: "/prepayment/policies", roles: SEES },
  readAccount: { method: "GET", path: "/prepayment/accounts/{accountId}", roles: SEES },
  listEntries: { method: "GET", path: "/prepayment/accounts/{accountId}/entries", roles: SEES },
  pay: { method: "POST", path: "/prepayment/accounts/{accountId}/payments", roles: ORDERS },
  listPrograms: { method: "GET", path: "/demand/programs", roles: SEES },
  listDrEvents: { method: "GET", path: "/demand/events", roles: SEES },
  readDrEvent: { method: "GET", path: "/demand/events/{eventId}", roles: SEES },
  cancelDrEvent: { method: "POST", path: "/demand/events/{eventId}/cancel", roles: ORDERS },
  readParticipation: { method: "GET", path: "/demand/events/{eventId}/participation", roles: SEES },
  listTariffVersions: { method: "GET", path: "/tariffs", roles: SEES },
  reportTariff: { method: "GET", path: "/tariffs/{tariffId}/versions/{version}/meters", roles: SEES },
  rolloutTariff: { method: "POST", path: "/tariffs/{tariffId}/versions/{version}/rollouts", roles: ASKS },
} as const satisfies Partial<Told>;
