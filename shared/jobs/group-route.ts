import { z } from "zod";
import { FanOutPoint } from "../metering/fan-out-point.ts";
import type { GroupKey } from "../metering/group.ts";
import { SystemTitle } from "../metering/meter.ts";

const Name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "expected 1 to 64 letters, digits, '.', '_' or '-'");

/** A set of meters that the registry keeps. */
export const MemberTarget = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("group"), group: Name }),
  z.strictObject({ kind: z.literal("feeder"), feeder: Name }),
  z.strictObject({ kind: z.literal("transformer"), transformer: Name }),
  z.strictObject({ kind: z.literal("collector"), collector: Name }),
  z.strictObject({ kind: z.literal("all") }),
]);
export type MemberTarget = z.infer<typeof MemberTarget>;

/** Fan-out points of one route: they are slots of one slice, and a network that has more has more routes. */
export const POINTS_MAX = 256;
/** Longest window, seconds. */
export const WINDOW_MAX_SECONDS = 3_600;

/** How many meters are reached at once: by one APDU a fan-out point, secured with the group's key. */
export const GroupRoute = z.strictObject({
  name: Name,
  /** The group's own title, by which its members know that they are meant: an ApTitle. */
  title: SystemTitle,
  /** Who is expected to answer. Who does not is asked by itself. */
  members: MemberTarget,
  /** The device model of the members; one of another model is asked by itself. */
  profile: z.strictObject({ name: z.string(), version: z.int().min(1) }),
  /** How long answers are waited for before the silent are asked by themselves, seconds. */
  windowSeconds: z.int().min(5).max(WINDOW_MAX_SECONDS),
  points: z.array(FanOutPoint).min(1).max(POINTS_MAX),
  /** By which the meters know the group's key. */
  keyId: z.int().min(0).max(255),
  /** Rises with every change, its removal among them. */
  version: z.int().min(1),
});
export type GroupRoute = z.infer<typeof GroupRoute>;

/** What a job keeps of the route by which it was accepted: a route that is changed meanwhile is another one. */
export const JobGroupRoute = GroupRoute.pick({
  name: true,
  version: true,
  members: true,
  windowSeconds: true,
}).extend({ points: z.int().min(1).max(POINTS_MAX) });
export type JobGroupRoute = z.infer<typeof JobGroupRoute>;

export const jobGroupRoute = ({ name, version, members, windowSeconds, points }: GroupRoute): JobGroupRoute => ({
  name,
  version,
  members,
  windowSeconds,
  points: points.length,
});

/** Group routes as stored, their keys sealed. Keys and access patterns live in `functions/adapters/dynamo-group-routes.ts`. */
export interface GroupRoutes {
  /** Strongly consistent; undefined: there is none of that name (any more). */
  read(name: string): Promise<GroupRoute | undefined>;
  list(): Promise<readonly GroupRoute[]>;
  /** Makes or replaces it. `key`: AES-128; absent: the route keeps the key that it has; `key-missing`: it has none. */
  put(route: Omit<GroupRoute, "version">, key: Uint8Array | undefined): Promise<GroupRoute | "key-missing">;
  /** False: there is none. */
  remove(name: string): Promise<boolean>;
}

/** What a bridge may do: open the key, for as long as it takes to compose a request. */
export interface GroupKeys {
  open(name: string): Promise<{ readonly route: GroupRoute; readonly key: GroupKey } | undefined>;
}
