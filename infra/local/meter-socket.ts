import type { Socket } from "node:net";
import type { MeterReaction } from "../../shared/simulator/meter.ts";
import type { DialledMeter } from "../../shared/simulator/meter-link.ts";

/** A meter closes a connection on which nothing came for this long (as its inactivity time-out would), ms. */
const IDLE_MS = 180_000;

/** Gives one connection to a simulated meter until either side closes. `idleMs` 0: it may be idle for ever. */
export function serveMeter(meter: DialledMeter, socket: Socket, sockets: Set<Socket>, idleMs: number = IDLE_MS): void {
  sockets.add(socket);
  const connection = meter.connect();
  let due = 0; // answers leave in order, however long one of them takes
  const act = ({ send, close }: MeterReaction): void => {
    if (socket.destroyed) return;
    for (const octets of send) socket.write(octets);
    if (close) socket.destroy();
  };
  socket.on("data", (chunk) => {
    const reaction = connection.receive(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    const now = performance.now();
    due = Math.max(due, now + reaction.afterMs);
    if (due <= now) return act(reaction);
    setTimeout(act, due - now, reaction).unref();
  });
  socket.setTimeout(idleMs, () => socket.destroy());
  socket.on("error", () => socket.destroy()); // the client went away; the meter forgets the connection
  socket.on("close", () => sockets.delete(socket));
}
