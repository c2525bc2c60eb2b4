import { once } from "node:events";
import { createServer } from "node:net";
import { type AttachedDial, attachedDial } from "../../shared/bridge/attached-dial.ts";
import type { ReceptionPorts } from "../../shared/bridge/reception.ts";
import { type Arrival, type ReceptionDesk, receptionDesk } from "../../shared/bridge/reception.ts";
import { RECEPTION_LIMITS } from "../../shared/bridge/reception-limits.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { addressText } from "./own-address.ts";
import { type PipeSocketPorts, pipeDial, servePipes } from "./pipe-socket.ts";
import { tcpDial } from "./tcp-dial.ts";
import { tcpLink } from "./tcp-link.ts";

/** The side of the bridge to which meters call in. */
export interface Field {
  readonly dial: AttachedDial;
  readonly held: number;
  /** Byte pipes that other tasks have had. */
  readonly pipesServed: number;
  /** What arrived since the last time this was asked: held, and refused by code. */
  arrivals(): Readonly<Record<string, number>> | undefined;
  /** Nobody is let in any more; who is here is sent away, those in a conversation when it is over. */
  drain(graceMs: number): Promise<void>;
}

export interface FieldPorts extends Omit<ReceptionPorts, "address"> {
  readonly secret: () => Promise<Uint8Array>;
  /** False: another Region is the active one, or this task's clock is wrong. */
  readonly mayReceive: () => boolean;
}

export interface FieldSettings {
  /** TCP port for meters that speak DLMS; 0: any free one. */
  readonly dlmsPort: number;
  /** TCP port for byte pipes; 0: any free one. */
  readonly pipePort: number;
  /** Of this task, as other tasks reach it. */
  readonly host: string;
  /** Where to listen; undefined: on every address. */
  readonly listenHost: string | undefined;
  readonly connectionsMax: number;
}

/** Below the load balancer's idle time-out (350 s) and those of carriers; a dead peer is found within minutes. */
const KEEP_ALIVE_MS = 60_000;
const BACKLOG = 1_024;

/** Opens the listeners for meters and for other tasks. */
export async function openField(
  ports: FieldPorts,
  settings: FieldSettings,
): Promise<Field & { readonly port: number }> {
  const { sessionClock: clock, crypto, secret } = ports;
  const { listenHost, connectionsMax } = settings;
  let desk: ReceptionDesk | undefined;
  const find: PipeSocketPorts["find"] = (connection) => desk?.find(connection);
  const pipes = await servePipes({ clock, crypto, secret, find }, listenHost, settings.pipePort);
  const reception = receptionDesk(
    { ...ports, address: addressText(settings.host, pipes.port) },
    { ...RECEPTION_LIMITS, connections: connectionsMax },
  );
  desk = reception;

  let counts = new Map<string, number>();
  const count = (arrival: Arrival): void => {
    const name = arrival.kind === "held" ? "held" : arrival.code;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  };
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    if (!ports.mayReceive()) return void socket.destroy();
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    void reception.accept(tcpLink(socket, clock)).then(count);
  });
  server.maxConnections = connectionsMax;
  server.listen({
    port: settings.dlmsPort,
    backlog: BACKLOG,
    ...(listenHost === undefined ? {} : { host: listenHost }),
  });
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : settings.dlmsPort,
    dial: attachedDial({
      access: ports.access,
      clock,
      task: ports.task,
      find,
      pipe: pipeDial({ crypto, secret }, tcpDial(clock)),
    }),
    get held() {
      return reception.held;
    },
    get pipesServed() {
      return pipes.served;
    },
    arrivals() {
      const told = counts;
      counts = new Map();
      return told.size === 0 ? undefined : Object.fromEntries(told);
    },
    async drain(graceMs) {
      server.close();
      await reception.drain(graceMs);
      pipes.close();
    },
  };
}

/** Looks the secret up when it is first needed, and again while there is none. */
export function keptSecret(open: () => Promise<Uint8Array | undefined>): () => Promise<Uint8Array> {
  let kept: Promise<Uint8Array> | undefined;
  return () => {
    kept ??= open()
      .then((secret) => {
        if (secret !== undefined) return secret;
        throw new HeadraceError("pipe.no-secret", "the deployment has no secret of its own yet", { retry: "later" });
      })
      .catch((error: unknown) => {
        kept = undefined;
        throw error;
      });
    return kept;
  };
}
