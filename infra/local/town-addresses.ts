import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { HeadraceError } from "../../shared/ports/errors.ts";
import type { AnyMeter } from "../../shared/simulator/any-meter.ts";
import type { Protocol } from "../../shared/simulator/population.ts";
import { serveMeter } from "./meter-socket.ts";

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
export type Addressing = (plan: Placed) => Place;

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

/** `port`: of every meter; undefined: that of its protocol. */
const inNetwork =
  (network: number, port: number | undefined): Addressing =>
  ({ index, profile }) => {
    const within = index % METERS_A_NETWORK;
    const second = network + NETWORKS.length * Math.floor(index / METERS_A_NETWORK);
    const host = `127.${second}.${1 + Math.floor(within / 250)}.${1 + (within % 250)}`;
    return { host, port: port ?? METER_PORTS[profile.protocol] };
  };
const onOneAddress: Addressing = ({ index }) => ({ host: "127.0.0.1", port: PORTS_FROM + index });

/** Where the meters are when the first network is free. */
export const firstAddressing = (port: number | undefined): Addressing => inNetwork(NETWORKS[0], port);

async function listen(server: Server, { host, port }: Place): Promise<void> {
  server.listen({ host, port, exclusive: true, backlog: 64 });
  await once(server, "listening");
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;

/** The network that a town had before, and who is told which it has. */
export interface NetworkMemory {
  readonly network: number | undefined;
  keepNetwork(network: number): void;
}

export interface Sites {
  readonly servers: readonly Server[];
  readonly addressing: Addressing;
}

/** A listening socket a meter, all in one network. Throws `town.address-in-use` or `town.files`. */
export async function place(
  simulated: readonly AnyMeter[],
  sockets: Set<Socket>,
  port: number | undefined,
  memory: NetworkMemory | undefined,
): Promise<Sites> {
  const networks = memory === undefined ? NETWORKS : memory.network === undefined ? networksToKeep() : [memory.network];
  for (const network of networks) {
    const addressing = inNetwork(network, port);
    try {
      const servers = await listenAll(simulated, sockets, addressing);
      memory?.keepNetwork(network);
      return { servers, addressing };
    } catch (error) {
      const code = codeOf(error);
      if (code === "EADDRNOTAVAIL") break;
      if (code === "EMFILE" || code === "ENFILE")
        throw new HeadraceError(
          "town.files",
          `expected ${simulated.length} listening sockets, but the system allows fewer open files: raise "ulimit -n" or start fewer meters`,
          { retry: "never", cause: error },
        );
      if (code !== "EADDRINUSE") throw error;
    }
  }
  return onOneHost(simulated, sockets, networks, port);
}

async function onOneHost(
  simulated: readonly AnyMeter[],
  sockets: Set<Socket>,
  networks: readonly number[],
  port: number | undefined,
): Promise<Sites> {
  const [first] = simulated;
  if (first !== undefined && (await isBusy(inNetwork(networks[0]!, port)(first.plan))))
    throw new HeadraceError(
      "town.address-in-use",
      `port ${port ?? Object.values(METER_PORTS).join(" or ")} is in use on ${networks.map((network) => `127.${network}.1.1`).join(", ")}: is another town running? Stop it, or choose another port with --port`,
      { retry: "never" },
    );
  try {
    return { servers: await listenAll(simulated, sockets, onOneAddress), addressing: onOneAddress };
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
async function isBusy(address: Place): Promise<boolean> {
  const probe = createServer();
  try {
    await listen(probe, address);
    probe.close();
    return false;
  } catch (error) {
    return codeOf(error) === "EADDRINUSE";
  }
}

/** All or none: when one address cannot be had, those that could are given back. */
async function listenAll(
  simulated: readonly AnyMeter[],
  sockets: Set<Socket>,
  addressing: Addressing,
): Promise<readonly Server[]> {
  const listening = simulated
    .filter((meter) => meter.plan.fault !== "closed")
    .map(async (meter) => {
      const server = createServer({ noDelay: true }, (socket) => serveMeter(meter, socket, sockets));
      await listen(server, addressing(meter.plan));
      return server;
    });
  const settled = await Promise.allSettled(listening);
  const servers = settled.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const failed = settled.find((result) => result.status === "rejected");
  if (failed === undefined) return servers;
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  throw failed.reason;
}
