import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A task behind the splitter. */
export interface Target {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** As its health check last said. */
  healthy(): boolean;
}

export interface ListenerSettings {
  readonly host: string;
  readonly port: number;
  readonly protocols: readonly ("tcp" | "udp")[];
  readonly targets: readonly Target[];
}

/** How long a UDP flow without traffic stays with its task. */
const UDP_IDLE_MS = 120_000;

interface Flow {
  readonly socket: UdpSocket;
  readonly target: Target;
  readonly idle: NodeJS.Timeout;
}

/** As the load balancer keeps its clients' addresses: tasks see a connection as coming from where the client is. */
const sourceOf = (client: string | undefined): { readonly localAddress?: string } =>
  client?.startsWith("127.") === true ? { localAddress: client } : {};

/** One listener of the load balancer: a TCP connection, or a UDP flow, stays with one healthy task. */
export class Splitter {
  readonly #settings: ListenerSettings;
  readonly #sockets = new Set<Socket>();
  readonly #flows = new Map<string, Flow>();
  #next = 0;
  #tcp: Server | undefined;
  #udp: UdpSocket | undefined;

  constructor(settings: ListenerSettings) {
    this.#settings = settings;
  }

  async start(): Promise<void> {
    const { host, port, protocols } = this.#settings;
    if (protocols.includes("tcp")) {
      this.#tcp = createServer({ noDelay: true }, (client) => this.#accept(client));
      this.#tcp.listen(port, host);
      await once(this.#tcp, "listening");
    }
    if (protocols.includes("udp")) {
      this.#udp = createSocket("udp4");
      this.#udp.on("message", (octets, from) => this.#forward(octets, from));
      this.#udp.bind(this.#tcp === undefined ? port : this.port, host); // one port for both
      await once(this.#udp, "listening");
    }
  }

  /** The port that was opened; of TCP where both are. */
  get port(): number {
    const address = this.#tcp?.address() ?? this.#udp?.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const [from] of this.#flows) this.#end(from);
    this.#udp?.close();
    const tcp = this.#tcp;
    if (tcp !== undefined) await new Promise((resolve) => tcp.close(resolve));
  }

  /** The next healthy task in turn; undefined: none. */
  #choose(): Target | undefined {
    const { targets } = this.#settings;
    for (let tried = 0; tried < targets.length; tried++) {
      const target = targets[this.#next++ % targets.length];
      if (target?.healthy() === true) return target;
    }
    return undefined;
  }

  #accept(client: Socket): void {
    const target = this.#choose();
    if (target === undefined) return void client.destroy();
    const task = connect({ host: target.host, port: target.port, noDelay: true, ...sourceOf(client.remoteAddress) });
    for (const [socket, other] of [
      [client, task],
      [task, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.once("error", () => other.destroy());
      socket.once("close", () => {
        this.#sockets.delete(socket);
        other.end();
      });
      socket.pipe(other);
    }
  }

  #forward(octets: Buffer, from: RemoteInfo): void {
    const key = `${from.address}:${from.port}`;
    const flow = this.#flows.get(key) ?? this.#open(key, from);
    if (flow === undefined) return; // nobody healthy: a lost datagram
    flow.idle.refresh();
    flow.socket.send(octets, flow.target.port, flow.target.host);
  }

  #open(key: string, peer: RemoteInfo): Flow | undefined {
    const target = this.#choose();
    if (target === undefined) return undefined;
    const socket = createSocket("udp4");
    const { localAddress } = sourceOf(peer.address);
    if (localAddress !== undefined) socket.bind({ address: localAddress });
    const flow: Flow = { socket, target, idle: setTimeout(() => this.#end(key), UDP_IDLE_MS).unref() };
    this.#flows.set(key, flow);
    socket.on("message", (octets) => this.#udp?.send(octets, peer.port, peer.address));
    socket.on("error", () => this.#end(key));
    return flow;
  }

  #end(key: string): void {
    const flow = this.#flows.get(key);
    if (flow === undefined) return;
    this.#flows.delete(key);
    clearTimeout(flow.idle);
    flow.socket.close();
  }
}
