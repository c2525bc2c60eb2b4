import type { RelayRoute } from "../metering/route.ts";
import type { Clock } from "../ports/clock.ts";
import type { Link } from "../ports/link.ts";
import type { Dial } from "./dial.ts";
import { type RelayConnection, relayConnection } from "./relay-connection.ts";

export type RelayDial = (route: RelayRoute, deadline: number) => Promise<Link>;

/** Connections to relays, one an address. */
export interface Relays {
  /** A link to a node behind the relay, over the relay's one connection. Throws as a dial does. */
  readonly dial: RelayDial;
  /** Sends octets to the relay that are for many. Throws `LinkError`. */
  post(route: RelayRoute, octets: Uint8Array, deadline: number): Promise<void>;
  readonly connections: number;
  close(): void;
}

export interface RelayPorts {
  readonly dial: Dial;
  /** On which deadlines are given. */
  readonly clock: Clock;
  /** Told of whole APDUs that no conversation waits for. */
  readonly onOther?: (apdu: Uint8Array) => void;
}

/** A connection that nobody uses is kept so long, ms: the next meter of the branch follows soon. */
export const IDLE_MS = 30_000;

/** Dials a relay once for all meters behind it. */
export function relays({ dial, clock, onOther }: RelayPorts): Relays {
  const connections = new Map<string, Promise<RelayConnection>>();
  const idle = new Map<RelayConnection, AbortController>();

  const connect = async ({ host, port, transport, path }: RelayRoute, deadline: number): Promise<RelayConnection> => {
    const link = await dial({ kind: "dial", host, port, transport }, deadline);
    return relayConnection(link, clock, { path, ...(onOther === undefined ? {} : { onOther }) });
  };
  const keyOf = ({ host, port, transport, path }: RelayRoute): string =>
    `${transport} ${host} ${port} ${path.join(" ")}`;
  const forget = (key: string, made: Promise<RelayConnection> | undefined): void => {
    if (connections.get(key) === made) connections.delete(key);
  };
  const connectionTo = async (route: RelayRoute, deadline: number): Promise<RelayConnection> => {
    const key = keyOf(route);
    const known = connections.get(key);
    if (known !== undefined) {
      const connection = await known;
      if (connection.isOpen) return inUse(connection);
      forget(key, known);
      return connectionTo(route, deadline);
    }
    const made = connect(route, deadline);
    connections.set(key, made);
    try {
      return inUse(await made);
    } catch (error) {
      forget(key, made);
      throw error;
    }
  };
  const inUse = (connection: RelayConnection): RelayConnection => {
    idle.get(connection)?.abort();
    idle.delete(connection);
    return connection;
  };
  const restLater = (route: RelayRoute, connection: RelayConnection): void => {
    if (connection.conversations > 0 || !connection.isOpen) return;
    inUse(connection);
    const used = new AbortController();
    idle.set(connection, used);
    const made = connections.get(keyOf(route));
    void clock.sleep(IDLE_MS, used.signal).then(
      () => {
        idle.delete(connection);
        if (connection.conversations > 0) return;
        connection.close();
        forget(keyOf(route), made);
      },
      () => undefined,
    );
  };

  return {
    async dial(route, deadline) {
      const connection = await connectionTo(route, deadline);
      const link = connection.converse();
      return {
        ...link,
        close: async () => {
          await link.close();
          restLater(route, connection);
        },
      };
    },
    async post(route, octets, deadline) {
      const connection = await connectionTo(route, deadline);
      try {
        await connection.post(octets);
      } finally {
        restLater(route, connection);
      }
    },
    get connections() {
      return connections.size;
    },
    close() {
      for (const made of connections.values())
        void made.then(
          (connection) => inUse(connection).close(),
          () => undefined,
        );
      connections.clear();
    },
  };
}
