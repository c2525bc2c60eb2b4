import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import type { AttachedDialPorts } from "../../shared/bridge/attached-dial.ts";
import { answerPipe, askPipe, NONCE_OCTETS } from "../../shared/bridge/byte-pipe.ts";
import type { Dial } from "../../shared/bridge/dial.ts";
import type { HeldConnection } from "../../shared/bridge/held-connection.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { Crypto } from "../../shared/ports/crypto.ts";
import { LinkError } from "../../shared/ports/link.ts";
import { toHex } from "../../shared/ports/octets.ts";
import { addressOf } from "./own-address.ts";
import { tcpLink } from "./tcp-link.ts";

export interface PipeSocketPorts {
  readonly clock: Clock;
  readonly crypto: Crypto;
  /** Rejects while the deployment has none. */
  readonly secret: () => Promise<Uint8Array>;
  readonly find: (connection: string) => HeldConnection | undefined;
}

/** Byte pipes that one task serves at once. */
const PIPES_MAX = 2_048;
const LIMITS = { helloMs: 5_000, turnMs: 5_000 } as const;

/** Serves byte pipes to other tasks. `port` 0: any free one. */
export async function servePipes(
  { clock, crypto, secret, find }: PipeSocketPorts,
  host: string | undefined,
  port: number,
): Promise<{ readonly port: number; readonly served: number; close(): void }> {
  let served = 0;
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    const link = tcpLink(socket, clock);
    const named = (connection: Uint8Array) => find(toHex(connection));
    secret()
      .then((known) =>
        answerPipe({ clock, crypto, secret: known }, link, new Uint8Array(randomBytes(NONCE_OCTETS)), named, LIMITS),
      )
      .then((said) => {
        if (said === "open") served++;
      })
      .catch(() => socket.destroy());
  });
  server.maxConnections = PIPES_MAX;
  server.listen({ port, ...(host === undefined ? {} : { host }) });
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    get served() {
      return served;
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Nobody listens there: the task is gone, and no time-out has to be waited for to know it. */
const GONE: ReadonlySet<unknown> = new Set(["ECONNREFUSED"]);

/** Asks another task for a byte pipe. */
export const pipeDial =
  ({ crypto, secret }: Pick<PipeSocketPorts, "crypto" | "secret">, dial: Dial): AttachedDialPorts["pipe"] =>
  async (address, connection, deadline) => {
    const target = addressOf(address);
    if (target === undefined) return "gone";
    const known = await secret();
    let link: Awaited<ReturnType<Dial>>;
    try {
      link = await dial({ kind: "dial", ...target, transport: "tcp" }, deadline);
    } catch (error) {
      if (error instanceof LinkError && GONE.has(error.detail.code)) return "gone";
      throw error;
    }
    try {
      const answer = await askPipe({ crypto, secret: known }, link, connection, deadline);
      if (typeof answer === "string") await link.close();
      return answer;
    } catch (error) {
      await link.close();
      throw error;
    }
  };
