import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, isIPv6, type Socket } from "node:net";
import type { C1222Inbound } from "../../shared/bridge/c1222-inbound.ts";
import { datagramReader } from "../../shared/bridge/fan-out.ts";
import { ApduSplitter } from "../../shared/c1222/apdu-splitter.ts";
import type { Origin } from "../../shared/c1222/network/registrar.ts";
import { DATAGRAM_OCTETS, datagramsOf } from "../../shared/c1222/segmentation.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { WireError } from "../../shared/wire/wire-error.ts";

export interface C1222PortSettings {
  /** Of both TCP and UDP; 0: any free one. */
  readonly port: number;
  readonly host: string;
  readonly connectionsMax: number;
}

export interface C1222Port {
  readonly port: number;
  close(): Promise<void>;
}

/** A connection that says nothing for so long is closed, ms: longer than nodes take to renew a registration. */
const IDLE_MS = 7_200_000;
/** Octets that may wait to leave on a connection. */
const BEHIND_MAX = 262_144;

/** Octets of an IP address as text; an IPv4 address in an IPv6 one is the IPv4 address. */
export function addressOctets(text: string): Uint8Array {
  const [plain = ""] = text.split("%");
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1] ?? plain;
  if (!isIPv6(mapped)) return Uint8Array.from(mapped.split("."), Number);
  const [head = "", tail] = mapped.split("::");
  const groups = (part: string | undefined): string[] => (part ? part.split(":") : []);
  const [first, last] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => "0");
  const words = tail === undefined ? first : [...first, ...zeros, ...last];
  return Uint8Array.from(words.flatMap((word) => [Number.parseInt(word, 16) >> 8, Number.parseInt(word, 16) & 0xff]));
}

/** Opens the port of ANSI C12.22 (RFC 6142: 1153, TCP and UDP) for what comes in by itself. */
export async function openC1222Port(
  inbound: Pick<C1222Inbound, "receive">,
  clock: Pick<Clock, "now">,
  { port, host, connectionsMax }: C1222PortSettings,
  onDisconnected: (connection: string) => void = () => undefined,
): Promise<C1222Port> {
  const open = new Set<Socket>();
  let connections = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    const connection = `c${++connections}`;
    const splitter = new ApduSplitter();
    const { remoteAddress = "0.0.0.0", remotePort = 0 } = socket;
    const origin: Origin = { transport: "tcp", address: addressOctets(remoteAddress), port: remotePort, connection };
    open.add(socket);
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      open.delete(socket);
      onDisconnected(connection);
    });
    socket.on("data", (chunk) => {
      try {
        for (const apdu of splitter.push(new Uint8Array(chunk)))
          void inbound.receive(apdu, origin).then((answer) => {
            if (answer === undefined || socket.destroyed) return;
            if (socket.writableLength > BEHIND_MAX) socket.destroy();
            else socket.write(answer);
          });
      } catch (error) {
        socket.destroy(); // the framing is lost
        if (!(error instanceof WireError)) throw error;
      }
    });
  });
  server.maxConnections = connectionsMax;
  server.listen({ port, host });
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
    void inbound.receive(apdu, origin).then((answer) => {
      for (const octets of answer === undefined ? [] : datagramsOf(answer, DATAGRAM_OCTETS))
        datagrams.send(octets, peer.port, peer.address);
    });
  });
  datagrams.on("message", (octets, { address: peer, port: peerPort }) => {
    if (peerPort === 0) return; // RFC 6142: nobody may send from it
    from = { address: peer, port: peerPort };
    read(new Uint8Array(octets));
    from = undefined;
  });
  datagrams.bind(own, host);
  await once(datagrams, "listening");

  return {
    port: own,
    async close() {
      const closed = once(server, "close");
      server.close();
      for (const socket of open) socket.destroy();
      datagrams.close();
      await closed;
    },
  };
}
