import { type ConsoleRoute, PATHS } from "../api/paths.ts";

/** Whether one of these roles is asked for by the route. The API decides; this only spares people a refusal. */
export const mayCall = (roles: readonly string[], route: ConsoleRoute): boolean =>
  PATHS[route].roles.some((asked) => roles.includes(asked));

/** Roles that may change something at a meter; whoever else may submit jobs only reads. */
export const ORDERING: readonly string[] = ["operator", "supervisor"];
export const mayOrder = (roles: readonly string[]): boolean => roles.some((role) => ORDERING.includes(role));
