import { type Origin, Registrar, type RegistrarEvent } from "../c1222/network/registrar.ts";
import type { Place } from "../metering/meter.ts";
import type { DialRoute, RelayRoute } from "../metering/route.ts";
import type { Link } from "../ports/link.ts";
import { below } from "../ports/random.ts";
import { type C1222Inbound, c1222Inbound } from "./c1222-inbound.ts";
import type { Arrival, ProofPorts } from "./caller-proof.ts";
import type { HeldConnection } from "./held-connection.ts";
import { c1222Reception, nodeLink } from "./node-connection.ts";
import { nodeDirectory } from "./node-directory.ts";
import { type HeardNotification, notificationReport } from "./notification-report.ts";
import type { PushBatcher } from "./push-batcher.ts";
import { receptionDesk } from "./reception.ts";
import type { ReceptionLimits } from "./reception-limits.ts";
import { type CalledConnection, registrationDesk } from "./registration-desk.ts";
import { type RelayConnection, relayConnection } from "./relay-connection.ts";

export interface C1222GatePorts extends ProofPorts {
  /** The headend's own titles; the first is the one under which it answers. */
  readonly ownTitles: readonly [string, ...string[]];
  /** Unique to this run of the task. */
  readonly task: string;
  /** Where other tasks ask this one for byte pipes. */
  readonly address: string;
  readonly dial: (route: DialRoute | RelayRoute, deadline: number) => Promise<Link>;
  /** Answers to group requests; false: it is none. */
  readonly onAnswer: (octets: Uint8Array) => boolean;
  /** What meters say by themselves, on its way to ingest. */
  readonly pushes: Pick<PushBatcher, "add">;
  /** A meter is reachable again. */
  readonly onAttached?: (place: Place) => void;
}

/** Port 1153 without its sockets. */
export interface C1222Gate extends C1222Inbound {
  /** A connection that somebody opened. */
  connect(link: Link, from: Pick<Origin, "address" | "port">): void;
  /** A meter's connection to this task by its id. */
  find(connection: string): HeldConnection | undefined;
  /** Meters whose connections are held. */
  readonly held: number;
  /** Lets nobody in any more and ends all connections, the busy ones when their conversation is over. */
  drain(graceMs: number): Promise<void>;
}

/** Seconds. Addresses that were proved are good for a day: a renewal is a write. */
const PERIOD_MAX = 86_400;
/** Seconds that nodes wait at most after power-up: a feeder that comes back must not register at once. */
const REGISTRATION_DELAY = 300;
const REGISTRATIONS_MAX = 200_000;
const OWN_IDS = 0x7fff_ffff;

/** The headend as the master relay and notification host of its C12.22 nodes, on any of its tasks. */
export function c1222Gate(ports: C1222GatePorts, limits: ReceptionLimits): C1222Gate {
  const { sessionClock, ownTitles } = ports;
  const directory = nodeDirectory(ports);
  const reception = receptionDesk({ ...ports, reception: c1222Reception }, limits);
  const connections = new Map<string, CalledConnection & { readonly connection: RelayConnection }>();
  let opened = 0;
  let counted = new Map<string, number>();
  const count = (what: string): void => void counted.set(what, (counted.get(what) ?? 0) + 1);

  const desk = registrationDesk(
    { ...ports, directory, reception, connectionOf: (connection) => connections.get(connection) },
    limits,
  );
  const registrar = new Registrar({
    apTitles: ownTitles,
    now: () => sessionClock.now(),
    nextInvocationId: () => 1 + below(ports.random, OWN_IDS),
    enrolled: async (title) => ((await directory.find(title)) === undefined ? undefined : "node"),
    located: (title) => desk.located(title),
    proved: (title, route, origin) => desk.proved(title, route, origin),
    periodMax: PERIOD_MAX,
    registrationDelay: REGISTRATION_DELAY,
    registrationsMax: REGISTRATIONS_MAX,
  });
  const told = (arrival: Arrival): void => count(arrival.kind === "held" ? "held" : arrival.code);
  const onRegistrar = (event: RegistrarEvent): void => {
    if (event.kind === "registered") void desk.registered(event.registration).then(told);
    else if (event.kind === "deregistered" && event.origin !== undefined)
      void desk.deregistered(event.apTitle, event.origin).catch(() => count("registration.not-removed"));
  };
  const onNotification = (heard: HeardNotification): void => {
    const report = notificationReport(heard, ports.crypto);
    if (report !== undefined)
      void ports.pushes.add(heard.from.place.segment, report).catch(() => count("notification.not-reported"));
  };
  const inbound = c1222Inbound({
    ownTitles,
    now: () => sessionClock.now(),
    crypto: ports.crypto,
    registrar,
    onAnswer: ports.onAnswer,
    nodeOf: (title) => directory.open(title),
    onNotification,
    onRegistrar,
  });

  return {
    receive: inbound.receive,
    connect(link, { address, port }) {
      const name = `c${++opened}`;
      const origin: Origin = { transport: "tcp", address, port, connection: name };
      const connection: RelayConnection = relayConnection(link, sessionClock, {
        path: [],
        onOther: (apdu) =>
          void inbound
            .receive(apdu, origin)
            .then((answer) => answer && connection.post(answer))
            .catch(() => connection.close()), // it takes no answer
        onClosed: () => {
          connections.delete(name);
          for (const event of registrar.disconnected(name)) onRegistrar(event);
        },
      });
      connections.set(name, { connection, link: () => nodeLink(connection), holder: undefined });
    },
    find: (connection) => reception.find(connection),
    get held() {
      return reception.held;
    },
    counts() {
      const all = { ...Object.fromEntries(counted), ...inbound.counts() };
      counted = new Map();
      return Object.keys(all).length === 0 ? undefined : all;
    },
    async drain(graceMs) {
      await reception.drain(graceMs);
      for (const { connection } of [...connections.values()]) connection.close();
    },
  };
}
