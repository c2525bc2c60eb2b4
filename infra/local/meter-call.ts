import { connect, type Socket } from "node:net";
import { fraction, type Random } from "../../shared/ports/random.ts";
import type { AnyMeter } from "../../shared/simulator/any-meter.ts";
import { C1222Caller } from "../../shared/simulator/c1222-caller.ts";
import { C1222Meter } from "../../shared/simulator/c1222-meter.ts";
import { CALL_AGAIN_MS, callInPush } from "../../shared/simulator/call-in.ts";
import type { MeterConnection } from "../../shared/simulator/meter.ts";
import { isDlms, type Protocol } from "../../shared/simulator/population.ts";
import { serveMeter } from "./meter-socket.ts";

interface Gate {
  readonly host: string;
  readonly port: number;
}
/** Which meters call in, and where. */
export interface Callers {
  /** Of all meters, 0 to 1; only meters that prove themselves and have no fault call in. */
  readonly share: number;
  /** By protocol; meters of one without do not call. */
  readonly gates: Readonly<Partial<Record<Protocol, Gate>>>;
}

/** A meter's side of one call. */
interface Call {
  readonly connection: MeterConnection;
  /** What it says by itself now. */
  due(): readonly Uint8Array[];
}

/** A call that lasted so long was worth it: the next pause is the shortest again, ms. */
const WORTH_MS = 10_000;
const KEEP_ALIVE_MS = 30_000;
/** A node looks so often whether its registration is due, ms. */
const LOOK_MS = 500;
/** Of ANSI C12.19: primary power came back. */
const POWER_UP = 2;

/** `now`: the meters' time. */
function callOf(meter: AnyMeter, now: () => number): Call {
  if (meter instanceof C1222Meter) {
    const caller = new C1222Caller(meter, now, { onRegistered: () => meter.notify({ exceptions: [POWER_UP] }) });
    return { connection: { receive: (octets) => caller.receive(octets) }, due: () => caller.due() };
  }
  const push = isDlms(meter.plan) ? callInPush(meter.plan) : undefined;
  const words = push === undefined ? [] : [push];
  return { connection: meter.connect(), due: () => words.splice(0) };
}

/** A simulated meter behind an address that nobody can dial: it calls in, stays connected, and calls again when it is cut off. */
export class MeterCall {
  readonly #meter: AnyMeter;
  readonly #now: () => number;
  readonly #gate: Gate;
  readonly #sockets: Set<Socket>;
  readonly #random: Random;
  #pause: number = CALL_AGAIN_MS.first;
  #again: NodeJS.Timeout | undefined;
  #stopped = false;
  #socket: Socket | undefined;

  constructor(meter: AnyMeter, now: () => number, gate: Gate, sockets: Set<Socket>, random: Random) {
    this.#meter = meter;
    this.#now = now;
    this.#gate = gate;
    this.#sockets = sockets;
    this.#random = random;
    this.#callAfter(fraction(random) * CALL_AGAIN_MS.first);
  }

  /** Its connection; undefined: it has none now. */
  get socket(): Socket | undefined {
    return this.#socket;
  }

  /** Ends its call, once what it has said is out, and does not call again. */
  pause(): void {
    this.stop();
    this.#socket?.destroySoon();
  }

  resume(): void {
    this.#stopped = false;
    this.#pause = CALL_AGAIN_MS.first;
    this.#callAfter(fraction(this.#random) * CALL_AGAIN_MS.first);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#again);
  }

  #callAfter(ms: number): void {
    clearTimeout(this.#again);
    if (!this.#stopped) this.#again = setTimeout(() => this.#call(), ms);
  }

  #call(): void {
    const { host, port } = this.#gate;
    const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS });
    const begun = Date.now();
    const call = callOf(this.#meter, this.#now);
    serveMeter({ plan: this.#meter.plan, connect: () => call.connection }, socket, this.#sockets, 0);
    const say = (): void => {
      for (const octets of call.due()) socket.write(octets);
    };
    let looking: NodeJS.Timeout | undefined;
    socket.once("connect", () => {
      this.#socket = socket;
      say();
      looking = setInterval(say, LOOK_MS);
    });
    socket.once("close", () => {
      clearInterval(looking);
      this.#socket = undefined;
      const worth = Date.now() - begun >= WORTH_MS;
      this.#pause = worth ? CALL_AGAIN_MS.first : Math.min(this.#pause * 2, CALL_AGAIN_MS.most);
      this.#callAfter(this.#pause * (0.5 + fraction(this.#random)));
    });
  }
}
