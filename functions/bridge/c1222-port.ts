import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, isIPv6, type Socket } from "node:net";
import type { C1222Gate } from "../../shared/bridge/c1222-gate.ts";
import { datagramReader } from "../../shared/bridge/fan-out.ts";
import { addressOctets } from "../../shared/c1222/native-address.ts";
import type { Origin } from "../../shared/c1222/network/registrar.ts";
import { DATAGRAM_OCTETS, datagramsOf } from "../../shared/c1222/segmentation.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { tcpLink } from "./tcp-link.ts";

export interface C1222PortSettings {
  /** Of both TCP and UDP; 0: any free one. */
  readonly port: number;
  readonly host: string;
  readonly connectionsMax: number;
}

export interface C1222Port {
  readonly port: number;
  /** No new connections; datagrams are still taken. */
  stopListening(): void;
  close(): Promise<void>;
}

/** Below the load balancer's idle time-out (350 s) and those of carriers; a dead peer is found within minutes. */
const KEEP_ALIVE_MS = 60_000;
const BACKLOG = 1_024;

/** Opens the port of ANSI C12.22 (RFC 6142: 1153, TCP and UDP) for nodes that come by themselves. */
export async function openC1222Port(
  gate: Pick<C1222Gate, "connect" | "receive">,
  clock: Pick<Clock, "now">,
  { port, host, connectionsMax }: C1222PortSettings,
  mayReceive: () => boolean = () => true,
): Promise<C1222Port> {
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    if (!mayReceive()) return void socket.destroy();
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    const { remoteAddress = "0.0.0.0", remotePort = 0 } = socket;
    gate.connect(tcpLink(socket, clock), { address: addressOctets(remoteAddress), port: remotePort });
  });
  server.maxConnections = connectionsMax;
  server.listen({ port, host, backlog: BACKLOG });
  await once(server, "listening");
  const address = server.address();
  const own = typeof address === "object" && address !== null ? address.port : port;

  const datagrams = createSocket(isIPv6(host) ? "udp6" : "udp4");
  datagrams.on("error", () => undefined); // an answer that cannot be sent is an answer that is lost
  let from: { readonly address: string; readonly port: number } | undefined;
  const read = datagramReader(clock, (apdu) => {
    const peer = from;
    if (peer === undefined) return;
    const origin: Origin = { transport: "udp", address: addressOctets(peer.address), port: peer.port };
    void gate.receive(apdu, origin).then((answer) => {
      for (const octets of answer === undefined ? [] : datagramsOf(answer, DATAGRAM_OCTETS))
        datagrams.send(octets, peer.port, peer.address);
    });
  });
  datagrams.on("message", (octets, { address: peer, port: peerPort }) => {
    if (peerPort === 0 || !mayReceive()) return; // RFC 6142: nobody may send from port 0
    from = { address: peer, port: peerPort };
    read(new Uint8Array(octets));
    from = undefined;
  });
  datagrams.bind(own, host);
  await once(datagrams, "listening");

  return {
    port: own,
    stopListening: () => void server.close(),
    async close() {
      const closed = server.listening ? once(server, "close") : undefined;
      server.close();
      for (const socket of open) socket.destroy();
      datagrams.close();
      await closed;
    },
  };
}
