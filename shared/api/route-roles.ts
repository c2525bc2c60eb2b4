import type { Role } from "../security/roles.ts";

/** Who may, by kind of route. */
/** What a route of these allows a subscriber concerns its own jobs and schedules, and operations that only read. */
export const ASKS = ["operator", "supervisor", "analyst", "subscriber"] as const satisfies readonly Role[];
export const LOOKS = [
  "operator",
  "supervisor",
  "analyst",
  "administrator",
  "subscriber",
] as const satisfies readonly Role[];
export const SEES = ["operator", "supervisor", "analyst", "administrator"] as const satisfies readonly Role[];
export const READS = ["operator", "supervisor", "analyst"] as const satisfies readonly Role[];
export const KEEPS = ["operator", "supervisor", "administrator"] as const satisfies readonly Role[];
/** Readings as files: subscribers see their own exports and the daily ones. */
export const EXPORTS = ["analyst", "subscriber"] as const satisfies readonly Role[];
export const ENROLS = ["administrator"] as const satisfies readonly Role[];
/** Schedules: their own; supervisors and administrators all of them. */
export const MANAGES = LOOKS;
export const PLANS = ["supervisor", "analyst", "administrator"] as const satisfies readonly Role[];
/** Who approves, and says what may be done at all. */
export const GUARDS = ["supervisor"] as const satisfies readonly Role[];
/** Who may stop switching: whoever may do it. */
export const STOPS = ["operator", "supervisor"] as const satisfies readonly Role[];
export const WATCHES = ["supervisor", "administrator"] as const satisfies readonly Role[];
