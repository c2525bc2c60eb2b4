import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { connect, type Socket } from "node:net";
import { fraction, type Random } from "../../shared/ports/random.ts";
import { C1222Meter } from "../../shared/simulator/c1222-meter.ts";
import { SimulatedMeter } from "../../shared/simulator/meter.ts";

/** Where the headend listens for what meters say by themselves, TCP and UDP. */
export interface PushGate {
  readonly host: string;
  readonly port: number;
}
/** Of each protocol. */
export interface PushGates {
  readonly dlms: PushGate;
  readonly c1222: PushGate;
}

/** How often a meter looks whether it has something to say, ms of the machine's clock: what a last gasp waits at the most. */
const LOOK_MS = 1_000;
/** A connection that was opened to push on is given up after so long, ms. */
const GIVEN_UP_MS = 10_000;

export interface PushingMeter {
  readonly meter: SimulatedMeter | C1222Meter;
  /** The connection that the meter keeps open; undefined: it opens one for each push, or sends datagrams. */
  readonly held?: () => Socket | undefined;
}

/** Simulated meters that push when their setups are due, each at moments of its own. */
export class TownPushes {
  readonly #gates: PushGates;
  readonly #sockets: Set<Socket>;
  readonly #udp: UdpSocket;
  readonly #meters: ReadonlyMap<string, PushingMeter>;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(meters: readonly PushingMeter[], gates: PushGates, sockets: Set<Socket>, random: Random) {
    this.#gates = gates;
    this.#sockets = sockets;
    this.#meters = new Map(meters.map((one) => [one.meter.plan.meterId, one]));
    this.#udp = createSocket("udp4");
    this.#udp.on("error", () => undefined); // a datagram may be lost
    for (const one of meters) {
      one.meter.duePushes(); // what was due before it began to live is not made up for
      const first = setTimeout(() => {
        this.#timers.delete(first);
        this.#timers.add(setInterval(() => this.#look(one), LOOK_MS));
      }, fraction(random) * LOOK_MS);
      this.#timers.add(first);
    }
  }

  /** Has a meter say at once what it has to say. */
  look(meterId: string): void {
    const one = this.#meters.get(meterId);
    if (one !== undefined) this.#look(one);
  }

  #look({ meter, held }: PushingMeter): void {
    const frames = meter.duePushes();
    if (frames.length === 0) return;
    const gate = this.#gates[meter.plan.profile.protocol];
    if (held !== undefined) for (const frame of frames) held()?.write(frame);
    else if (meter.plan.way?.kind === "udp" || meter instanceof C1222Meter)
      for (const frame of frames) this.#udp.send(frame, gate.port, gate.host);
    else this.#call(gate, frames);
  }

  #call(gate: PushGate, frames: readonly Uint8Array[]): void {
    const socket = connect({ ...gate, noDelay: true });
    this.#sockets.add(socket);
    socket.once("connect", () => {
      for (const frame of frames) socket.write(frame);
      socket.end();
    });
    socket.setTimeout(GIVEN_UP_MS, () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#sockets.delete(socket));
    socket.resume();
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#udp.close();
  }
}

/** Whether it pushes, or can be told to: its model has pushes, and what it says is protected. */
export const pushesByItself = (meter: unknown): meter is SimulatedMeter | C1222Meter =>
  meter instanceof SimulatedMeter
    ? meter.plan.fault === undefined &&
      meter.plan.profile.dlms.access.ciphering !== "none" &&
      (meter.plan.profile.dlms.pushes ?? []).length > 0
    : meter instanceof C1222Meter &&
      meter.plan.fault === undefined &&
      (meter.plan.profile.c1222.pushes ?? []).length > 0;
