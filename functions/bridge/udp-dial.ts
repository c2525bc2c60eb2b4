import { createSocket, type Socket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Dial } from "../../shared/bridge/dial.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { HeadraceError } from "../../shared/ports/errors.ts";
import { type Link, LinkError } from "../../shared/ports/link.ts";
import { isOurFault } from "./tcp-dial.ts";

/** Octets of datagrams that wait to be received; what comes beyond them is lost, as datagrams are. */
const AHEAD_MAX = 262_144;

/** A connected UDP socket as a link: each datagram of its one peer, and nobody else's. */
export function udpLink(socket: Socket, clock: Pick<Clock, "now">): Link {
  const received: Uint8Array[] = [];
  let ahead = 0;
  let ended: LinkError | undefined;
  let wake: (() => void) | undefined;
  const end = (message: string, code?: string): void => {
    ended ??= new LinkError("link.closed", message, code === undefined ? {} : { detail: { code } });
    wake?.();
  };
  socket.on("message", (datagram) => {
    if (ahead + datagram.length > AHEAD_MAX) return;
    received.push(new Uint8Array(datagram));
    ahead += datagram.length;
    wake?.();
  });
  // The network's word that nobody listens there.
  socket.on("error", (error: NodeJS.ErrnoException) => end("the peer does not take datagrams", error.code));
  socket.on("close", () => end("the socket is closed"));

  return {
    kind: "datagram",
    async send(octets) {
      if (ended !== undefined) throw ended;
      await new Promise<void>((resolve, reject) =>
        socket.send(octets, (error) => {
          if (error === null) resolve();
          else reject(new LinkError("link.closed", "the datagram did not leave", { detail: { code: codeOf(error) } }));
        }),
      );
    },
    async receive(deadline) {
      if (received.length === 0 && ended === undefined)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, Math.max(0, deadline - clock.now()));
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      wake = undefined;
      const datagram = received.shift();
      if (datagram !== undefined) {
        ahead -= datagram.length;
        return datagram;
      }
      throw ended ?? new LinkError("link.timeout", "no datagram by the deadline");
    },
    async close() {
      if (ended !== undefined && ended.message === "the socket is closed") return;
      await new Promise<void>((resolve) => socket.close(() => resolve())).catch(() => undefined);
    },
  };
}

const codeOf = (error: Error): string => (error as NodeJS.ErrnoException).code ?? error.name;

/** A socket of its own for each meter, IPv4 and IPv6. Nothing is sent: whether somebody is there shows with an answer. */
export const udpDial =
  (clock: Pick<Clock, "now">): Dial =>
  async ({ host, port }, deadline) => {
    const unreachable = (code: string): HeadraceError =>
      isOurFault(code)
        ? new HeadraceError("bridge.no-socket", `no socket for datagrams: ${code}`, { retry: "later" })
        : new LinkError("link.unreachable", `no way to ${host}, port ${port}: ${code}`, {
            detail: { host, port, code },
          });
    let socket: Socket | undefined;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(unreachable("ETIMEDOUT")), Math.max(0, deadline - clock.now()));
    });
    try {
      const family = isIP(host);
      const address = family === 0 ? await Promise.race([lookup(host), limit]) : { address: host, family };
      const opened = createSocket(address.family === 6 ? "udp6" : "udp4");
      socket = opened;
      const connected = new Promise<void>((resolve, reject) => {
        opened.once("error", reject);
        opened.once("connect", () => {
          opened.off("error", reject);
          resolve();
        });
        opened.connect(port, address.address);
      });
      await Promise.race([connected, limit]);
      return udpLink(opened, clock);
    } catch (error) {
      socket?.close();
      throw error instanceof HeadraceError ? error : unreachable(codeOf(error as Error));
    } finally {
      clearTimeout(timer);
      limit.catch(() => undefined);
    }
  };
