import { once } from "node:events";
import { createServer } from "node:net";
import type { PushTap } from "../../shared/bridge/push-tap.ts";
import type { ReceptionDesk } from "../../shared/bridge/reception.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { tcpLink } from "./tcp-link.ts";

export interface DlmsPort {
  readonly port: number;
  /** What arrived since the last time this was asked: held, and refused by code. */
  arrivals(): Readonly<Record<string, number>> | undefined;
  stopListening(): void;
}

/** Below the load balancer's idle time-out (350 s) and those of carriers; a dead peer is found within minutes. */
const KEEP_ALIVE_MS = 60_000;
const BACKLOG = 1_024;

/** Opens the port on which meters that speak DLMS call in. `host` undefined: on every address; `port` 0: any free one. */
export async function openDlmsPort(
  reception: Pick<ReceptionDesk, "accept">,
  pushes: Pick<PushTap, "tap">,
  clock: Pick<Clock, "now">,
  settings: { readonly port: number; readonly host: string | undefined; readonly connectionsMax: number },
  mayReceive: () => boolean,
): Promise<DlmsPort> {
  const { host, connectionsMax } = settings;
  let counts = new Map<string, number>();
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    if (!mayReceive()) return void socket.destroy();
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    const link = pushes.tap(tcpLink(socket, clock));
    void reception.accept(link).then((arrival) => {
      if (arrival.kind === "held") link.meterId = arrival.meterId;
      const name = arrival.kind === "held" ? "held" : arrival.code;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    });
  });
  server.maxConnections = connectionsMax;
  server.listen({ port: settings.port, backlog: BACKLOG, ...(host === undefined ? {} : { host }) });
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : settings.port,
    arrivals() {
      const told = counts;
      counts = new Map();
      return told.size === 0 ? undefined : Object.fromEntries(told);
    },
    stopListening: () => void server.close(),
  };
}
