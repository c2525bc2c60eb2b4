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

const SENT = Promise.resolve();

/** Who waits for octets; one at a time. */
interface Waiting {
  readonly resolve: (octets: Uint8Array) => void;
  readonly reject: (error: LinkError) => void;
  /** Clock milliseconds. */
  readonly deadline: number;
}

/** A connected TCP socket as a link. `clock` is the one on which deadlines are given. */
export function tcpLink(socket: Socket, clock: Pick<Clock, "now">): Link {
  const received: Uint8Array[] = [];
  let ahead = 0;
  let ended: LinkError | undefined;
  let waiting: Waiting | undefined;
  // One timer a link, set anew only when it goes off too late or too soon: most answers come long before their deadline.
  let timer: NodeJS.Timeout | undefined;
  let timerAt = 0;

  const late = (): void => {
    timer = undefined;
    if (waiting === undefined) return;
    if (clock.now() < waiting.deadline) {
      watch(waiting.deadline);
      return;
    }
    const { reject } = waiting;
    waiting = undefined;
    reject(new LinkError("link.timeout", "no octets by the deadline"));
  };
  const watch = (deadline: number): void => {
    if (timer !== undefined && timerAt <= deadline) return;
    clearTimeout(timer);
    timerAt = deadline;
    timer = setTimeout(late, Math.max(0, deadline - clock.now()));
  };
  const end = (message: string, cause?: Error): void => {
    const code = cause === undefined ? {} : { detail: { code: (cause as NodeJS.ErrnoException).code ?? cause.name } };
    ended ??= new LinkError("link.closed", message, code);
    clearTimeout(timer);
    timer = undefined;
    const reject = waiting?.reject;
    waiting = undefined;
    reject?.(ended);
  };
  socket.on("data", (chunk) => {
    if (waiting !== undefined) {
      const { resolve } = waiting;
      waiting = undefined;
      resolve(chunk);
      return;
    }
    received.push(chunk);
    ahead += chunk.length;
    if (ahead > AHEAD_MAX) socket.pause();
  });
  socket.on("end", () => end("the peer closed the connection"));
  socket.on("error", (error) => end("the connection broke", error));
  socket.on("close", () => end("the connection is closed"));

  const drained = async (): Promise<void> => {
    try {
      await once(socket, "drain", { signal: AbortSignal.timeout(SEND_MS) });
    } catch {
      throw ended ?? new LinkError("link.timeout", `the peer took no octets for ${SEND_MS} ms`);
    }
  };

  return {
    kind: "stream",
    send(octets) {
      if (ended !== undefined) return Promise.reject(ended);
      return socket.write(octets) ? SENT : drained();
    },
    receive(deadline) {
      const chunk = received.shift();
      if (chunk !== undefined) {
        ahead -= chunk.length;
        if (socket.isPaused() && ahead <= AHEAD_MAX) socket.resume();
        return Promise.resolve(chunk);
      }
      if (ended !== undefined) return Promise.reject(ended);
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject, deadline };
        watch(deadline);
      });
    },
    async close() {
      clearTimeout(timer);
      timer = undefined;
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
