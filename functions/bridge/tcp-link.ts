import { once } from "node:events";
import type { Socket } from "node:net";
import type { Clock } from "../../shared/ports/clock.ts";
import { type Link, LinkError } from "../../shared/ports/link.ts";

/** Octets that a peer may send ahead of us before the socket is paused. */
const AHEAD_MAX = 262_144;
/** How long the peer may refuse to take octets, ms. */
const SEND_MS = 10_000;
/** How long a closing socket may wait for its last octets to leave, ms. */
const CLOSE_MS = 1_000;

/** A connected TCP socket as a link. `clock` is the one on which deadlines are given. */
export function tcpLink(socket: Socket, clock: Pick<Clock, "now">): Link {
  const received: Uint8Array[] = [];
  let ahead = 0;
  let ended: LinkError | undefined;
  let wake: (() => void) | undefined;

  const end = (message: string, cause?: Error): void => {
    const code = cause === undefined ? {} : { detail: { code: (cause as NodeJS.ErrnoException).code ?? cause.name } };
    ended ??= new LinkError("link.closed", message, code);
    wake?.();
  };
  socket.on("data", (chunk) => {
    received.push(chunk);
    ahead += chunk.length;
    if (ahead > AHEAD_MAX) socket.pause();
    wake?.();
  });
  socket.on("end", () => end("the peer closed the connection"));
  socket.on("error", (error) => end("the connection broke", error));
  socket.on("close", () => end("the connection is closed"));

  return {
    kind: "stream",
    async send(octets) {
      if (ended !== undefined) throw ended;
      if (socket.write(octets)) return;
      try {
        await once(socket, "drain", { signal: AbortSignal.timeout(SEND_MS) });
      } catch {
        throw ended ?? new LinkError("link.timeout", `the peer took no octets for ${SEND_MS} ms`);
      }
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
      const chunk = received.shift();
      if (chunk !== undefined) {
        ahead -= chunk.length;
        if (socket.isPaused() && ahead <= AHEAD_MAX) socket.resume();
        return chunk;
      }
      throw ended ?? new LinkError("link.timeout", "no octets by the deadline");
    },
    async close() {
      if (socket.destroyed) return;
      const closed = new Promise<void>((resolve) => void socket.once("close", () => resolve()));
      const limit = setTimeout(() => socket.destroy(), CLOSE_MS);
      socket.destroySoon(); // what was written still leaves
      socket.resume(); // octets that nobody will read must not hold the end back
      await closed;
      clearTimeout(limit);
    },
  };
}
