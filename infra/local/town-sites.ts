import { createSocket, type RemoteInfo } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { AnyMeter } from "../../shared/simulator/any-meter.ts";
import type { CellRelay } from "../../shared/simulator/cell-relay.ts";
import { serveDatagrams } from "./meter-datagrams.ts";
import { serveMeter } from "./meter-socket.ts";
import type { Place, Site } from "./town-addresses.ts";

async function listen(server: Server, { host, port }: Place): Promise<() => Promise<void>> {
  server.listen({ host, port, exclusive: true, backlog: 64 });
  await once(server, "listening");
  return () => new Promise((resolve) => server.close(() => resolve()));
}

/** A meter at its own address: TCP, or UDP. */
export const meterSite =
  (meter: AnyMeter, sockets: Set<Socket>): Site =>
  async (addressing) => {
    const place = addressing.meter(meter.plan);
    if (meter.plan.way?.kind !== "udp")
      return listen(
        createServer({ noDelay: true }, (socket) => serveMeter(meter, socket, sockets)),
        place,
      );
    const socket = await serveDatagrams(meter, place);
    return () => new Promise((resolve) => socket.close(() => resolve()));
  };

/** A cell relay, with the connections of headends to it. */
export const relaySite =
  (relay: CellRelay, number: number, sockets: Set<Socket>): Site =>
  (addressing) => {
    const server = createServer({ noDelay: true }, (socket) => {
      sockets.add(socket);
      const connection = relay.connect();
      socket.on("data", (octets) => {
        const { send, close } = connection.receive(new Uint8Array(octets));
        for (const { octets: out, afterMs } of send)
          if (afterMs === 0) socket.write(out);
          else setTimeout(() => void (socket.destroyed || socket.write(out)), afterMs).unref();
        if (close) socket.destroy();
      });
      socket.on("error", () => socket.destroy());
      socket.on("close", () => sockets.delete(socket));
    });
    return listen(server, addressing.relay(number));
  };

/** Members of a group that listen on one multicast address, on the loopback interface. */
export interface MulticastSite {
  /** Datagrams that came to the address: one a request, however many members there are. */
  readonly received: number;
  close(): Promise<void>;
}

const LOOPBACK = "127.0.0.1";

/** Undefined: this system has no multicast on its loopback interface. */
export async function joinMulticast(
  members: readonly AnyMeter[],
  { host, port }: Place,
): Promise<MulticastSite | undefined> {
  const ear = createSocket("udp4");
  const mouth = createSocket("udp4");
  let received = 0;
  let open = true;
  const answer = (octets: Uint8Array, peer: RemoteInfo): void => {
    if (open) mouth.send(octets, peer.port, peer.address, () => undefined); // a datagram may be lost
  };
  ear.on("message", (datagram, peer) => {
    received++;
    const from = `${peer.address} ${peer.port}`;
    for (const member of members)
      for (const { octets, afterMs } of member.datagram(new Uint8Array(datagram), from))
        setTimeout(answer, afterMs, octets, peer).unref();
  });
  const close = async (): Promise<void> => {
    open = false;
    await Promise.all([ear, mouth].map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
  };
  try {
    mouth.bind(0, LOOPBACK);
    ear.bind({ address: host, port, exclusive: true });
    await Promise.all([once(mouth, "listening"), once(ear, "listening")]);
    ear.addMembership(host, LOOPBACK);
  } catch {
    await close();
    return undefined;
  }
  for (const socket of [ear, mouth]) socket.on("error", () => undefined);
  return {
    get received() {
      return received;
    },
    close,
  };
}
