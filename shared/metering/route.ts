import { z } from "zod";
import { ApTitleText } from "./ap-title.ts";

/** How to reach a meter. The first route is tried first. */
const HostName = z.hostname().refine((host) => !/^[\d.]+$/.test(host), "expected a host name");
const address = {
  host: z.union([z.ipv4(), z.ipv6(), HostName]),
  port: z.int().min(1).max(65535),
  transport: z.enum(["tcp", "udp"]).default("tcp"),
};
export const Dial = z.strictObject({ kind: z.literal("dial"), ...address });
/** Behind relays that pass messages on by the called title: the address is the first one's. */
export const Relay = z.strictObject({
  kind: z.literal("relay"),
  ...address,
  /** Titles of the relays on the way; the last one's branch has the meter. */
  path: z.array(ApTitleText).min(1).max(8),
});
/** It comes by itself: it holds a connection, or registers where it is (C12.22). */
const Attached = z.strictObject({ kind: z.literal("attached") });
/** Of an endpoint at the MQTT broker; what the broker takes in the name of a thing, and in a topic. */
export const ThingName = z
  .string()
  .regex(/^[A-Za-z0-9:_-]{1,128}$/, "expected 1 to 128 letters, digits, ':', '_' or '-'");
/** It sleeps, wakes by itself, says something by MQTT and then looks into its mailbox. */
const Sleepy = z.strictObject({ kind: z.literal("sleepy"), thing: ThingName });

export const Route = z.discriminatedUnion("kind", [Dial, Attached, Relay, Sleepy]);
export type Route = z.infer<typeof Route>;
export type DialRoute = Extract<Route, { readonly kind: "dial" }>;
export type SleepyRoute = Extract<Route, { readonly kind: "sleepy" }>;
export type RelayRoute = Extract<Route, { readonly kind: "relay" }>;

/**
 * The name of the way in that a route shares with others: the meter's collector, else its radio cell, else the relay
 * whose branch it is in, else all of that kind of route. Permits are leased under it.
 */
export const wayIn = (route: Route, collector: string | undefined, cell?: string): string => {
  if (collector !== undefined) return `collector:${collector}`;
  if (cell !== undefined) return `cell:${cell}`;
  return route.kind === "relay" ? `relay:${route.path.at(-1)}` : route.kind;
};
