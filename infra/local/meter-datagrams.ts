import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";

/** A simulated meter of either protocol behind datagrams. */
export interface DatagramMeter {
  datagram(octets: Uint8Array, peer: string): readonly { readonly octets: Uint8Array; readonly afterMs: number }[];
}

/** Gives a meter a UDP socket; answers go back to whoever asked. Throws what binding throws: `EADDRINUSE`. */
export async function serveDatagrams(
  meter: DatagramMeter,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Socket> {
  const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
  let open = true;
  const answer = (octets: Uint8Array, peer: RemoteInfo): void => {
    if (open) socket.send(octets, peer.port, peer.address, () => undefined); // a datagram may be lost
  };
  socket.on("message", (datagram, peer) => {
    const from = `${peer.address} ${peer.port}`;
    for (const { octets, afterMs } of meter.datagram(new Uint8Array(datagram), from))
      if (afterMs === 0) answer(octets, peer);
      else setTimeout(answer, afterMs, octets, peer).unref();
  });
  socket.bind({ address: host, port, exclusive: true });
  await once(socket, "listening"); // rejects with what "error" says
  socket.on("error", () => undefined);
  socket.on("close", () => {
    open = false;
  });
  return socket;
}
