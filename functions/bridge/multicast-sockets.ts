import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { MulticastSend } from "../../shared/bridge/fan-out.ts";
import { LinkError } from "../../shared/ports/link.ts";

/** Sockets from which datagrams for groups are sent, one a family and interface, opened when they are first needed. */
export interface MulticastSockets {
  readonly send: MulticastSend;
  close(): void;
}

/** `onDatagram`: told of what comes to these sockets; members answer to where the request came from. */
export function multicastSockets(onDatagram: (octets: Uint8Array) => void): MulticastSockets {
  const sockets = new Map<string, Promise<Socket>>();

  const open = async (family: "udp4" | "udp6", by: string | undefined): Promise<Socket> => {
    const socket = createSocket({ type: family });
    socket.on("message", (octets) => onDatagram(new Uint8Array(octets)));
    socket.on("error", () => undefined); // what a send comes to is told to its caller
    const listening = once(socket, "listening");
    socket.bind(0, family === "udp4" && by !== undefined ? by : undefined);
    await listening;
    if (by !== undefined) socket.setMulticastInterface(family === "udp6" ? `::%${by}` : by);
    return socket;
  };
  const socketFor = (family: "udp4" | "udp6", by: string | undefined): Promise<Socket> => {
    const key = `${family} ${by ?? ""}`;
    const there = sockets.get(key);
    if (there !== undefined) return there;
    const made = open(family, by);
    sockets.set(key, made);
    made.catch(() => sockets.delete(key));
    return made;
  };

  return {
    async send({ address, port, interface: by, hops }, apdu) {
      try {
        const socket = await socketFor(address.includes(":") ? "udp6" : "udp4", by);
        socket.setMulticastTTL(hops);
        await new Promise<void>((resolve, reject) =>
          socket.send(apdu, port, address, (error) => (error === null ? resolve() : reject(error))),
        );
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? "unknown";
        throw new LinkError("link.unreachable", `no datagram to ${address}, port ${port}: ${code}`, { cause: error });
      }
    },
    close() {
      for (const made of sockets.values())
        void made.then(
          (socket) => socket.close(),
          () => undefined,
        );
      sockets.clear();
    },
  };
}
