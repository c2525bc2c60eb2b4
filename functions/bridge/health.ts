import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Health {
  /** `working` answers 200; all else 503, and the task is replaced or taken out of service. */
  readonly state: "working" | "draining" | "clock-wrong";
  readonly openSlices: number;
  readonly busySessions: number;
  /** Connections that meters hold to this task. */
  readonly heldConnections: number;
  /** Byte pipes that other tasks have had from this one, since it started. */
  readonly pipesServed: number;
}

/** Serves `GET /healthz`. `port` 0: any free one; answers the port that it got. */
export async function serveHealth(
  port: number,
  health: () => Health,
): Promise<{ readonly port: number; close(): void }> {
  const server = createServer((request, response) => {
    if (request.method !== "GET" || request.url !== "/healthz") return response.writeHead(404).end();
    const now = health();
    response.writeHead(now.state === "working" ? 200 : 503, { "content-type": "application/json" });
    response.end(JSON.stringify(now));
  });
  server.listen(port);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
