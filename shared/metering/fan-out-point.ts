import { z } from "zod";
import { Relay } from "./route.ts";

const Port = z.int().min(1).max(65535);
const Address = z.union([z.ipv4(), z.ipv6()]);

const isMulticast = (address: string): boolean =>
  address.includes(":")
    ? address.toLowerCase().startsWith("ff")
    : Number(address.split(".")[0]) >= 224 && Number(address.split(".")[0]) <= 239;

/** An IP multicast address, where the backhaul carries it: a tunnel, or a network of the utility's own. */
const Multicast = z.strictObject({
  kind: z.literal("multicast"),
  address: Address.refine(isMulticast, "expected a multicast address: 224.0.0.0/4 or ff00::/8"),
  port: Port,
  /** Address (IPv4) or name (IPv6) of the interface to send by; absent: the system's choice. */
  interface: z
    .string()
    .regex(/^[A-Za-z0-9.:%_-]{1,64}$/, "expected an address or the name of an interface")
    .optional(),
  /** How many routers it may pass. */
  hops: z.int().min(1).max(255).default(1),
});

/**
 * Where one APDU for a group is sent, to be repeated from there to many meters: a relay or collector that repeats what is
 * addressed to the group to its branch, or a multicast address.
 */
export const FanOutPoint = z.discriminatedUnion("kind", [Relay, Multicast]);
export type FanOutPoint = z.infer<typeof FanOutPoint>;
export type MulticastPoint = z.infer<typeof Multicast>;

/** For people and logs. */
export const pointText = (point: FanOutPoint): string =>
  point.kind === "relay"
    ? `relay ${point.path.at(-1)} at ${point.host}, ${point.transport} port ${point.port}`
    : `multicast ${point.address}, port ${point.port}`;
