import { randomBytes } from "node:crypto";
import { HeadraceError } from "../../shared/ports/errors.ts";
import type { Protocol } from "../../shared/simulator/population.ts";

/** COSEM over TCP (IANA: dlms/cosem) and C12.22 (IANA: c1222-acse). */
export const METER_PORTS: Readonly<Record<Protocol, number>> = { dlms: 4059, c1222: 1153 };

export interface Place {
  readonly host: string;
  readonly port: number;
}
interface Placed {
  readonly index: number;
  readonly profile: { readonly protocol: Protocol };
}
/** Where a town's meters and relays are. */
export interface Addressing {
  meter(plan: Placed): Place;
  relay(number: number): Place;
  /** For those of its meters that listen to a group. */
  readonly multicast: Place;
}
/** Something that listens at an address of the town; answers how to end it. */
export type Site = (addressing: Addressing) => Promise<() => Promise<void>>;

/** Second octet of the loopback network that a town takes, tried in this order. */
const NETWORKS = [77, 78, 79, 80, 81, 82, 83, 84] as const;
const METERS_A_NETWORK = 62_500;
/**
 * A town with a data folder comes back to the addresses under which its meters are enrolled. It takes its network by chance
 * out of many, so that a town without one, which takes the first that is free, is not found on it then.
 */
const networksToKeep = (): readonly number[] => [...randomBytes(4)].map((octet) => 100 + (octet % 128));
/** Where there is no 127/8: ports on 127.0.0.1 from here on. */
const PORTS_FROM = 20_000;

/** Third octet of the relays' addresses; those of meters end at 250. */
const RELAYS_OCTET = 251;

/** `port`: of every meter and relay; undefined: that of its protocol. */
const inNetwork = (network: number, port: number | undefined): Addressing => ({
  meter: ({ index, profile }) => {
    const within = index % METERS_A_NETWORK;
    const second = network + NETWORKS.length * Math.floor(index / METERS_A_NETWORK);
    const host = `127.${second}.${1 + Math.floor(within / 250)}.${1 + (within % 250)}`;
    return { host, port: port ?? METER_PORTS[profile.protocol] };
  },
  relay: (number) => ({ host: `127.${network}.${RELAYS_OCTET}.${1 + number}`, port: port ?? METER_PORTS.c1222 }),
  // 239.192.0.0/14 is of organisation-local scope (RFC 2365).
  multicast: { host: `239.192.${network}.1`, port: port ?? METER_PORTS.c1222 },
});
const onOneAddress: Addressing = {
  meter: ({ index }) => ({ host: "127.0.0.1", port: PORTS_FROM + index }),
  relay: (number) => ({ host: "127.0.0.1", port: PORTS_FROM - 1 - number }),
  multicast: { host: "239.192.0.1", port: PORTS_FROM },
};

/** Where they are when the first network is free. */
export const firstAddressing = (port: number | undefined): Addressing => inNetwork(NETWORKS[0], port);

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;

/** The network that a town had before, and who is told which it has. */
export interface NetworkMemory {
  readonly network: number | undefined;
  keepNetwork(network: number): void;
}

export interface Listening {
  readonly addressing: Addressing;
  readonly closings: readonly (() => Promise<void>)[];
}

/** All that listens, in one network. Throws `town.address-in-use` or `town.files`. */
export async function place(
  sites: readonly Site[],
  port: number | undefined,
  memory: NetworkMemory | undefined,
): Promise<Listening> {
  const networks = memory === undefined ? NETWORKS : memory.network === undefined ? networksToKeep() : [memory.network];
  for (const network of networks) {
    const addressing = inNetwork(network, port);
    try {
      const closings = await listenAll(sites, addressing);
      memory?.keepNetwork(network);
      return { closings, addressing };
    } catch (error) {
      const code = codeOf(error);
      if (code === "EADDRNOTAVAIL") break;
      if (code === "EMFILE" || code === "ENFILE")
        throw new HeadraceError(
          "town.files",
          `expected ${sites.length} listening sockets, but the system allows fewer open files: raise "ulimit -n" or start fewer meters`,
          { retry: "never", cause: error },
        );
      if (code !== "EADDRINUSE") throw error;
    }
  }
  return onOneHost(sites, networks, port);
}

async function onOneHost(
  sites: readonly Site[],
  networks: readonly number[],
  port: number | undefined,
): Promise<Listening> {
  const [first] = sites;
  if (first !== undefined && (await isBusy(first, inNetwork(networks[0]!, port))))
    throw new HeadraceError(
      "town.address-in-use",
      `port ${port ?? Object.values(METER_PORTS).join(" or ")} is in use on ${networks.map((network) => `127.${network}.1.1`).join(", ")}: is another town running? Stop it, or choose another port with --port`,
      { retry: "never" },
    );
  try {
    return { closings: await listenAll(sites, onOneAddress), addressing: onOneAddress };
  } catch (error) {
    if (codeOf(error) !== "EADDRINUSE") throw error;
    throw new HeadraceError(
      "town.address-in-use",
      `a port of 127.0.0.1 from ${PORTS_FROM} on is in use: is another town running? Stop it and start again`,
      { retry: "never", cause: error },
    );
  }
}

/** Whether the address is there but taken; false: this system has no such address. */
async function isBusy(site: Site, addressing: Addressing): Promise<boolean> {
  try {
    await (await site(addressing))();
    return false;
  } catch (error) {
    return codeOf(error) === "EADDRINUSE";
  }
}

/** All or none: when one address cannot be had, those that could are given back. */
async function listenAll(sites: readonly Site[], addressing: Addressing): Promise<Listening["closings"]> {
  const settled = await Promise.allSettled(sites.map((site) => site(addressing)));
  const closings = settled.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const failed = settled.find((result) => result.status === "rejected");
  if (failed === undefined) return closings;
  await Promise.all(closings.map((close) => close()));
  throw failed.reason;
}
