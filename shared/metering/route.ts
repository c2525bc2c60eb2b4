import { z } from "zod";

/** How to reach a meter. The first route is tried first. */
const HostName = z.hostname().refine((host) => !/^[\d.]+$/.test(host), "expected a host name");
const Dial = z.strictObject({
  kind: z.literal("dial"),
  host: z.union([z.ipv4(), z.ipv6(), HostName]),
  port: z.int().min(1).max(65535),
  transport: z.enum(["tcp", "udp"]).default("tcp"),
});
const Attached = z.strictObject({ kind: z.literal("attached") });

export const Route = z.discriminatedUnion("kind", [Dial, Attached]);
export type Route = z.infer<typeof Route>;

/**
 * The name of the way in that a route shares with others: the meter's collector, else its radio cell, else all of that
 * kind of route. Permits are leased under it.
 */
export const wayIn = (route: Route, collector: string | undefined, cell?: string): string => {
  if (collector !== undefined) return `collector:${collector}`;
  return cell === undefined ? route.kind : `cell:${cell}`;
};
