import { enrolledForms } from "../c1222/ap-title.ts";
import { addressOctets, hostOf } from "../c1222/native-address.ts";
import type { Origin, RegisteredRoute, Registration } from "../c1222/network/registrar.ts";
import type { AccessItem } from "../jobs/access.ts";
import type { MeterId, Place } from "../metering/meter.ts";
import type { DialRoute, RelayRoute } from "../metering/route.ts";
import type { Link } from "../ports/link.ts";
import { toHex } from "../ports/octets.ts";
import { type Arrival, callerProof, type ProofPorts, Refused, refusedArrival } from "./caller-proof.ts";
import type { NodeDirectory } from "./node-directory.ts";
import type { ReceptionDesk } from "./reception.ts";
import { minuteCounts, type ReceptionLimits } from "./reception-limits.ts";

/** A connection that a node opened. */
export interface CalledConnection {
  readonly link: () => Link;
  /** The title of the meter that it was given to; undefined: nobody's yet. */
  holder: string | undefined;
}

export interface RegistrationPorts extends ProofPorts {
  readonly directory: Pick<NodeDirectory, "item">;
  readonly reception: Pick<ReceptionDesk, "accept">;
  readonly connectionOf: (connection: string) => CalledConnection | undefined;
  readonly dial: (route: DialRoute | RelayRoute, deadline: number) => Promise<Link>;
  /** A meter is reachable again. */
  readonly onAttached?: (place: Place) => void;
}

export interface RegistrationDesk {
  /** What a registration comes to: a connection that is held, or an address that is proved and written. Never rejects. */
  registered(registration: Registration): Promise<Arrival>;
  /** A node said goodbye. Datagrams come from whoever likes to send them: what they say leaves the entry to run out. */
  deregistered(apTitle: string, origin: Origin): Promise<void>;
  /** Where a meter has registered, whichever task it was that took it. */
  located(apTitle: string): Promise<RegisteredRoute | undefined>;
  /** Whether nothing has to be proved for a registration by this way any more. */
  proved(apTitle: string, route: RegisteredRoute, origin: Origin): Promise<boolean>;
}

const REGISTRATION_OCTETS = 16;

/**
 * Where registered C12.22 nodes are, for every task. A registration comes in clear: it is a hint until the node has
 * answered there under its own key. Only meters whose routes say `attached` are moved by what they say of themselves.
 */
export function registrationDesk(ports: RegistrationPorts, limits: ReceptionLimits): RegistrationDesk {
  const { access, sessionClock, directory } = ports;
  const proof = callerProof(ports);
  const counts = minuteCounts(ports.clock, limits);
  const working = new Set<string>();

  const isAttached = ({ routes }: AccessItem): boolean => routes.some(({ kind }) => kind === "attached");
  /** The entry that says so already. */
  const entryOf = ({ attached }: AccessItem, route: DialRoute | RelayRoute) =>
    attached !== undefined &&
    "route" in attached &&
    attached.until > sessionClock.now() &&
    textOf(attached.route) === textOf(route)
      ? attached
      : undefined;

  const hold = async (apTitle: string, connection: string): Promise<Arrival> => {
    const called = ports.connectionOf(connection);
    if (called === undefined) throw new Refused("interrupted", "registration.connection-gone");
    if (called.holder !== undefined) throw new Refused("refused", "registration.connection-of-another");
    called.holder = apTitle;
    return ports.reception.accept(called.link(), { titles: enrolledForms(apTitle), serials: [] });
  };

  /** Dialled there, it has to answer as itself. */
  const move = async (found: AccessItem, route: DialRoute | RelayRoute, until: number): Promise<Arrival> => {
    const { meterId } = found;
    const known = entryOf(found, route);
    if (known !== undefined) {
      // Only the one address that was proved can be said again.
      if (known.until < until) await proof.enter(found, { route, until }, known.connection, found.releasedBase);
      return { kind: "held", meterId, connection: known.connection };
    }
    const connection = toHex(ports.random.octets(REGISTRATION_OCTETS));
    const meter = await proof.suppose(meterId, found);
    await proof.prove(meter, await ports.dial(route, sessionClock.now() + limits.identifyMs));
    await proof.enter(meter.item, { route, until }, connection, meter.counters.look.lease.base);
    ports.onAttached?.(found);
    return { kind: "held", meterId, connection };
  };

  const serve = async ({ apTitle, route, origin, until }: Registration): Promise<Arrival> => {
    let meterId: MeterId | undefined;
    try {
      if (route.kind === "connection" && ports.connectionOf(route.connection)?.holder === apTitle)
        return { kind: "refused", because: "refused", code: "registration.held-already" };
      const item = await directory.item(apTitle);
      if (item === undefined) throw new Refused("unknown", "reception.not-enrolled");
      meterId = item.meterId;
      if (!isAttached(item)) throw new Refused("refused", "reception.not-attached");
      if (route.kind === "connection") return await hold(apTitle, route.connection);
      if (!counts.attempt(meterId)) throw new Refused("limit", "reception.tries-of-meter");
      return await move(item, routeFrom(route, origin), until);
    } catch (error) {
      return refusedArrival(error, meterId);
    }
  };

  return {
    async registered(registration) {
      const { apTitle } = registration;
      const limit = (code: string): Arrival => ({ kind: "refused", because: "limit", code });
      if (working.has(apTitle)) return limit("registration.under-way");
      if (working.size >= limits.arriving) return limit("reception.arriving");
      working.add(apTitle);
      try {
        return await serve(registration);
      } finally {
        working.delete(apTitle);
      }
    },
    async deregistered(apTitle, { transport }) {
      if (transport === "udp") return;
      const item = await directory.item(apTitle);
      if (item?.attached !== undefined && "route" in item.attached) await access.detach(item, item.attached.connection);
    },
    async located(apTitle) {
      const at = (await directory.item(apTitle))?.attached;
      if (at === undefined || !("route" in at) || at.until <= sessionClock.now()) return undefined;
      const { kind, host, port, transport } = at.route;
      const address = addressOctets(host);
      return kind === "dial"
        ? { kind, address, port, transport }
        : { kind, relay: at.route.path.at(-1) ?? ".", address, port };
    },
    async proved(apTitle, route, origin) {
      if (route.kind === "connection") return ports.connectionOf(route.connection)?.holder === apTitle;
      const item = await directory.item(apTitle);
      return item !== undefined && (!isAttached(item) || entryOf(item, routeFrom(route, origin)) !== undefined);
    },
  };
}

const routeFrom = (
  route: Exclude<RegisteredRoute, { readonly kind: "connection" }>,
  { transport }: Origin,
): DialRoute | RelayRoute => {
  const host = hostOf(route.address);
  return route.kind === "dial"
    ? { kind: "dial", host, port: route.port, transport: route.transport }
    : { kind: "relay", host, port: route.port, transport, path: [route.relay] };
};

const textOf = (route: DialRoute | RelayRoute): string =>
  [route.kind, route.host, route.port, route.transport, ...(route.kind === "relay" ? route.path : [])].join(" ");
