import type { ApiRoute } from "./route.ts";
import { KEEPS } from "./route-roles.ts";
import { WayInInApi, WayInLimitBody, WayInPath } from "./ways-in.ts";

/** How many sessions a way in bears. */
export const wayInRoutes = {
  readWayIn: {
    method: "GET",
    path: "/ways-in/{wayIn}",
    function: "manage-ways-in",
    summary: "How many sessions a collector or cell may have at once, and who has them",
    roles: KEEPS,
    params: WayInPath,
    response: WayInInApi,
    statuses: [200],
  },
  limitWayIn: {
    method: "PUT",
    path: "/ways-in/{wayIn}",
    function: "manage-ways-in",
    summary: "Say how many sessions a collector or cell may have at once",
    roles: KEEPS,
    params: WayInPath,
    request: WayInLimitBody,
    response: WayInInApi,
    statuses: [200],
  },
} as const satisfies Readonly<Record<string, ApiRoute>>;
