import { GroupRouteBody, GroupRouteInApi, GroupRouteList, GroupRoutePath } from "./group-routes.ts";
import type { ApiRoute } from "./route.ts";
import { ENROLS, SEES } from "./route-roles.ts";

/** Group routes: how many meters are asked at once. */
export const groupRouteRoutes = {
  listGroupRoutes: {
    method: "GET",
    path: "/group-routes",
    function: "manage-group-routes",
    summary: "Group routes: by which groups of meters are asked all at once",
    roles: SEES,
    response: GroupRouteList,
    statuses: [200],
  },
  readGroupRoute: {
    method: "GET",
    path: "/group-routes/{route}",
    function: "manage-group-routes",
    summary: "One group route, without its key",
    roles: SEES,
    params: GroupRoutePath,
    response: GroupRouteInApi,
    statuses: [200],
  },
  putGroupRoute: {
    method: "PUT",
    path: "/group-routes/{route}",
    function: "manage-group-routes",
    summary: "Make or replace a group route; jobs that were accepted before ask their meters one by one",
    roles: ENROLS,
    params: GroupRoutePath,
    request: GroupRouteBody,
    response: GroupRouteInApi,
    statuses: [200],
  },
  deleteGroupRoute: {
    method: "DELETE",
    path: "/group-routes/{route}",
    function: "manage-group-routes",
    summary: "Remove a group route and its key",
    roles: ENROLS,
    params: GroupRoutePath,
    statuses: [204],
  },
} as const satisfies Readonly<Record<string, ApiRoute>>;
