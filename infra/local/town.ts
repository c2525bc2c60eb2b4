import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { DlmsProfile } from "../../shared/metering/profile.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import type { Random } from "../../shared/ports/random.ts";
import { callers } from "../../shared/simulator/call-in.ts";
import type { FaultKind, FaultShares } from "../../shared/simulator/faults.ts";
import { type MeterTruth, SimulatedMeter } from "../../shared/simulator/meter.ts";
import { population, type SimulatedKeys, type SimulatedMeterPlan } from "../../shared/simulator/population.ts";
import { type Callers, MeterCall } from "./meter-call.ts";
import { serveMeter } from "./meter-socket.ts";
import { TownMemory } from "./town-memory.ts";

export interface TownOptions {
  readonly meters: number;
  readonly seed: number;
  readonly faults: FaultShares;
  /** The title that the meters expect of their client; 16 hex digits. */
  readonly clientSystemTitle: string;
  readonly clock: Clock;
  /** TCP port of every meter; default 4059. */
  readonly port?: number;
  /** Folder in which the meters' counters are kept. */
  readonly data?: string;
  /** Meters that do not listen but call in and stay connected. */
  readonly callers?: Callers;
}

/** All that one needs to know to read a simulated meter. */
export interface TownMeter {
  readonly meterId: string;
  readonly serial: string;
  readonly commodity: "electric";
  readonly profile: string;
  readonly protocol: "dlms";
  readonly transport: "tcp";
  readonly host: string;
  readonly port: number;
  readonly clientSap: number;
  readonly serverSap: number;
  /** Hex, as are the other title and the keys. */
  readonly systemTitle: string;
  readonly clientSystemTitle: string;
  readonly authentication: DlmsProfile["dlms"]["access"]["authentication"];
  readonly ciphering: DlmsProfile["dlms"]["access"]["ciphering"];
  readonly securitySuite: number;
  /** As enrolled; a meter with the fault `wrong-key` holds others. */
  readonly keys: SimulatedKeys;
  readonly fault?: FaultKind;
  /** It calls in by itself; nobody listens at its address. */
  readonly attached?: true;
}

export interface WitnessedCounter {
  readonly meterId: string;
  readonly counter: number;
}

/** How often a meter reset its demand because somebody ordered it. */
export interface WitnessedResets {
  readonly meterId: string;
  readonly resets: number;
}

/** What the strict meters saw of their clients: counters, and what they were ordered to do. */
export interface TownWitness {
  readonly sessions: number;
  readonly accepted: number;
  /** Counters used twice. */
  readonly violations: readonly WitnessedCounter[];
  /** Counters out of order, but used once: a meter refuses them, but no nonce was repeated. */
  readonly lower: readonly WitnessedCounter[];
  /** Of every meter that was ever reset. */
  readonly resets: readonly WitnessedResets[];
}

/** COSEM over TCP (IANA: dlms/cosem). */
export const DLMS_PORT = 4059;
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

/** The meters that a town of these options has, at the addresses that it takes when they are free; no sockets. */
export const townListing = (options: Omit<TownOptions, "clock" | "data">): readonly TownMeter[] => {
  const addressing = inNetwork(NETWORKS[0], options.port ?? DLMS_PORT);
  const plans = population(nodeCrypto, options);
  const calling = callers(plans, options.callers?.share ?? 0);
  return plans.map((plan) => described(plan, addressing(plan.index), calling));
};

const random: Random = {
  uint32: () => randomBytes(4).readUInt32BE(),
  octets: (length) => new Uint8Array(randomBytes(length)),
};

interface Place {
  readonly host: string;
  readonly port: number;
}
type Addressing = (index: number) => Place;

const inNetwork =
  (network: number, port: number): Addressing =>
  (index) => {
    const within = index % METERS_A_NETWORK;
    const second = network + NETWORKS.length * Math.floor(index / METERS_A_NETWORK);
    return { host: `127.${second}.${1 + Math.floor(within / 250)}.${1 + (within % 250)}`, port };
  };
const onOneAddress: Addressing = (index) => ({ host: "127.0.0.1", port: PORTS_FROM + index });

async function listen(server: Server, { host, port }: Place): Promise<void> {
  server.listen({ host, port, exclusive: true, backlog: 64 });
  await once(server, "listening");
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;

/** Simulated meters with a socket each, in this process. */
export class Town {
  readonly meters: readonly TownMeter[];
  readonly #byId: ReadonlyMap<string, SimulatedMeter>;
  readonly #servers: readonly Server[];
  readonly #sockets: ReadonlySet<Socket>;
  readonly #memory: TownMemory | undefined;
  readonly #calls: readonly MeterCall[];

  private constructor(
    meters: readonly TownMeter[],
    simulated: readonly SimulatedMeter[],
    servers: readonly Server[],
    sockets: ReadonlySet<Socket>,
    memory: TownMemory | undefined,
    calls: readonly MeterCall[],
  ) {
    this.meters = meters;
    this.#byId = new Map(simulated.map((meter) => [meter.plan.meterId, meter]));
    this.#servers = servers;
    this.#sockets = sockets;
    this.#memory = memory;
    this.#calls = calls;
  }

  /** Throws `HeadraceError` `town.*`: impossible faults, addresses in use, a data folder of another town. */
  static async start(options: TownOptions): Promise<Town> {
    const plans = population(nodeCrypto, options);
    const memory = options.data === undefined ? undefined : await TownMemory.open(options.data, options.seed);
    const ports = { crypto: nodeCrypto, random, now: () => options.clock.now() };
    const simulated = plans.map(
      (plan) =>
        new SimulatedMeter(
          plan,
          options.seed,
          ports,
          memory?.of(plan.meterId),
          () => memory?.changed(),
          memory?.resetsOf(plan.meterId),
        ),
    );
    memory?.watch(new Map(simulated.map((meter) => [meter.plan.meterId, meter])));
    const sockets = new Set<Socket>();
    const calling = callers(plans, options.callers?.share ?? 0);
    const listening = simulated.filter(({ plan }) => !calling.has(plan.index));
    const { servers, addressing } = await place(listening, sockets, options.port ?? DLMS_PORT, memory);
    const meters = plans.map((plan) => described(plan, addressing(plan.index), calling));
    const gate = options.callers;
    const calls =
      gate === undefined
        ? []
        : simulated
            .filter(({ plan }) => calling.has(plan.index))
            .map((meter) => new MeterCall(meter, gate, sockets, random));
    return new Town(meters, simulated, servers, sockets, memory, calls);
  }

  /** The truth about a meter; undefined: no such meter. Interval ends in (from, to], clock milliseconds. */
  truth(meterId: string, range: { readonly from: number; readonly to: number }): MeterTruth | undefined {
    return this.#byId.get(meterId)?.truth(range.from, range.to);
  }

  witness(): TownWitness {
    const meters = [...this.#byId.values()].map((meter) => ({ meter, state: meter.counters.state }));
    const listed = (pick: "repeated" | "lower") =>
      meters.flatMap(({ meter, state }) => state[pick].map((counter) => ({ meterId: meter.plan.meterId, counter })));
    return {
      sessions: meters.reduce((sum, { meter }) => sum + meter.sessions, 0),
      accepted: meters.reduce((sum, { state }) => sum + state.accepted, 0),
      violations: listed("repeated"),
      lower: listed("lower"),
      resets: meters.flatMap(({ meter }) => {
        const resets = meter.resets.state.count;
        return resets === 0 ? [] : [{ meterId: meter.plan.meterId, resets }];
      }),
    };
  }

  async stop(): Promise<void> {
    for (const call of this.#calls) call.stop();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
    await this.#memory?.close();
  }
}

async function place(
  simulated: readonly SimulatedMeter[],
  sockets: Set<Socket>,
  port: number,
  memory: TownMemory | undefined,
): Promise<{ readonly servers: readonly Server[]; readonly addressing: Addressing }> {
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
  simulated: readonly SimulatedMeter[],
  sockets: Set<Socket>,
  networks: readonly number[],
  port: number,
): Promise<{ readonly servers: readonly Server[]; readonly addressing: Addressing }> {
  const busy = await isBusy(networks[0]!, port);
  if (busy)
    throw new HeadraceError(
      "town.address-in-use",
      `port ${port} is in use on ${networks.map((network) => `127.${network}.1.1`).join(", ")}: is another town running? Stop it, or choose another port with --port`,
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

/** Whether the network is there but taken; false: this system has no such address. */
async function isBusy(network: number, port: number): Promise<boolean> {
  const probe = createServer();
  try {
    await listen(probe, inNetwork(network, port)(0));
    probe.close();
    return false;
  } catch (error) {
    return codeOf(error) === "EADDRINUSE";
  }
}

/** All or none: when one address cannot be had, those that could are given back. */
async function listenAll(
  simulated: readonly SimulatedMeter[],
  sockets: Set<Socket>,
  addressing: Addressing,
): Promise<readonly Server[]> {
  const listening = simulated
    .filter((meter) => meter.plan.fault !== "closed")
    .map(async (meter) => {
      const server = createServer({ noDelay: true }, (socket) => serveMeter(meter, socket, sockets));
      await listen(server, addressing(meter.plan.index));
      return server;
    });
  const settled = await Promise.allSettled(listening);
  const servers = settled.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const failed = settled.find((result) => result.status === "rejected");
  if (failed === undefined) return servers;
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  throw failed.reason;
}

function described(plan: SimulatedMeterPlan, { host, port }: Place, calling: ReadonlySet<number>): TownMeter {
  const { access } = plan.profile.dlms;
  return {
    meterId: plan.meterId,
    serial: plan.serial,
    commodity: "electric",
    profile: plan.profile.name,
    protocol: "dlms",
    transport: "tcp",
    host,
    port,
    clientSap: access.clientSap,
    serverSap: access.serverSap,
    systemTitle: plan.systemTitle,
    clientSystemTitle: plan.clientSystemTitle,
    authentication: access.authentication,
    ciphering: access.ciphering,
    securitySuite: access.securitySuite,
    keys: plan.enrolled,
    ...(plan.fault && { fault: plan.fault }),
    ...(calling.has(plan.index) && { attached: true as const }),
  };
}
