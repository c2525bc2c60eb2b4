import { z } from "zod";
import { GroupRoute } from "../jobs/group-route.ts";
import { Name } from "./page.ts";

export const GroupRoutePath = z.strictObject({ route: Name });

/** The key that all members hold: goes in, never comes out. */
const KeyHex = z.string().regex(/^[0-9a-fA-F]{32}$/, "expected 32 hex digits (AES-128)");

/** PUT /group-routes/{route}: the whole of it. */
export const GroupRouteBody = GroupRoute.omit({ name: true, version: true, profile: true, windowSeconds: true }).extend(
  {
    /** Name of a device profile; its newest version. */
    profile: z.string().min(1).max(64),
    windowSeconds: GroupRoute.shape.windowSeconds.default(300),
    /** Absent: the key that the route has. */
    key: KeyHex.optional(),
  },
);

export const GroupRouteInApi = GroupRoute.omit({ name: true }).extend({ route: z.string(), title: z.string() });
export const GroupRouteList = z.strictObject({ routes: z.array(GroupRouteInApi) });
