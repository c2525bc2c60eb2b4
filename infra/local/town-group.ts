import type { Socket } from "node:net";
import { nodeCrypto } from "../../shared/ports/node-crypto.ts";
import type { Random } from "../../shared/ports/random.ts";
import type { AnyMeter } from "../../shared/simulator/any-meter.ts";
import { type BranchNode, CellRelay, QUIET_BRANCH, type RelayCounts } from "../../shared/simulator/cell-relay.ts";
import {
  type C1222MeterPlan,
  isDlms,
  relayTitle,
  type SimulatedGroup,
  townGroup,
} from "../../shared/simulator/population.ts";
import type { Addressing, Place, Site } from "./town-addresses.ts";
import { joinMulticast, type MulticastSite, relaySite } from "./town-sites.ts";

/** Where one APDU for the group is sent, to be repeated from there. */
type TownPoint =
  | ({ readonly kind: "relay"; readonly path: readonly [string] } & Place)
  | {
      readonly kind: "multicast";
      readonly address: string;
      readonly port: number;
      readonly interface: string;
      readonly hops: 1;
    };

/** The C12.22 group of a town: all that a headend needs to know to ask its members at once. */
export interface TownGroup extends SimulatedGroup {
  /** Device model of its members. */
  readonly profile: string;
  readonly windowSeconds: number;
  readonly points: readonly TownPoint[];
}

/** What the fan-out points saw. */
export interface FanOutWitness {
  readonly relays: readonly ({ readonly title: string } & RelayCounts)[];
  /** Datagrams that came to the multicast address; absent: nobody listens to one. */
  readonly multicast?: number;
}

const LOOPBACK = "127.0.0.1";
/** For an answer to be on its way after its delay, seconds. */
const WINDOW_MARGIN_SECONDS = 10;

/** The fan-out points of a town's C12.22 group: cell relays with their branches, and a multicast address. */
export class TownFanOut {
  readonly #seed: number;
  readonly #random: Random;
  readonly #sockets: Set<Socket>;
  readonly #branches: ReadonlyMap<number, readonly BranchNode[]>;
  /** Members that are in no branch. */
  readonly #listeners: readonly AnyMeter[];
  readonly #members: readonly C1222MeterPlan[];
  readonly #relays = new Map<number, CellRelay>();
  #multicast: MulticastSite | undefined;

  constructor(simulated: readonly AnyMeter[], seed: number, random: Random, sockets: Set<Socket>) {
    this.#seed = seed;
    this.#random = random;
    this.#sockets = sockets;
    const branches = new Map<number, BranchNode[]>();
    const listeners: AnyMeter[] = [];
    const members: C1222MeterPlan[] = [];
    for (const meter of simulated) {
      const { plan } = meter;
      if (isDlms(plan)) continue;
      const { apTitle, way, groups } = plan;
      if (groups !== undefined) members.push(plan);
      if (way?.kind === "relay") {
        const title = relayTitle(seed, way.relay);
        const branch = branches.get(way.relay) ?? [];
        branch.push({ apTitle, datagram: (octets) => meter.datagram(octets, title) });
        branches.set(way.relay, branch);
      } else if (groups !== undefined) listeners.push(meter);
    }
    this.#branches = branches;
    this.#listeners = listeners;
    this.#members = members;
  }

  /** The relays, to be opened with the meters. */
  get sites(): readonly Site[] {
    return [...this.#branches].map(
      ([number, branch]): Site =>
        (addressing) => {
          const relay = this.#relay(number, branch, addressing.relay(number));
          this.#relays.set(number, relay);
          return relaySite(relay, number, this.#sockets)(addressing);
        },
    );
  }

  #relay(number: number, branch: readonly BranchNode[], { host, port }: Place): CellRelay {
    return new CellRelay({
      apTitle: relayTitle(this.#seed, number),
      nativeAddress: { address: Uint8Array.from(host.split("."), Number), port, transport: "tcp" },
      branch,
      groups: [townGroup(nodeCrypto, this.#seed).title],
      random: this.#random,
      faults: QUIET_BRANCH,
    });
  }

  /** Has those that are in no branch listen to the multicast address, where the system has multicast. */
  async join({ multicast }: Addressing): Promise<void> {
    if (this.#listeners.length > 0) this.#multicast = await joinMulticast(this.#listeners, multicast);
  }

  /** Undefined: there is nobody in it, or nothing to reach them by. */
  group(addressing: Addressing): TownGroup | undefined {
    const models = Map.groupBy(this.#members, ({ profile }) => profile);
    const [everyday] = [...models].sort(([, left], [, right]) => right.length - left.length);
    const relayed = [...this.#relays.keys()].map((number) => ({
      kind: "relay" as const,
      ...addressing.relay(number),
      path: [relayTitle(this.#seed, number)] as const,
    }));
    const { host, port } = addressing.multicast;
    const address = { address: host, port, interface: LOOPBACK, hops: 1 } as const;
    const points = [...relayed, ...(this.#multicast === undefined ? [] : [{ kind: "multicast" as const, ...address }])];
    if (everyday === undefined || points.length === 0) return undefined;
    const [profile] = everyday;
    return {
      ...townGroup(nodeCrypto, this.#seed),
      profile: profile.name,
      windowSeconds: (profile.c1222.groups?.answersWithinSeconds ?? 0) + WINDOW_MARGIN_SECONDS,
      points,
    };
  }

  witness(): FanOutWitness {
    return {
      relays: [...this.#relays.values()].map(({ apTitle, counts }) => ({ title: apTitle, ...counts })),
      ...(this.#multicast && { multicast: this.#multicast.received }),
    };
  }

  async close(): Promise<void> {
    await this.#multicast?.close();
  }
}
