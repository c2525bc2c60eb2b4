import { connect, type Socket } from "node:net";
import { fraction, type Random } from "../../shared/ports/random.ts";
import { CALL_AGAIN_MS } from "../../shared/simulator/call-in.ts";
import type { DialledMeter } from "../../shared/simulator/meter-link.ts";
import { serveMeter } from "./meter-socket.ts";

/** Which meters call in, and where. */
export interface Callers {
  /** Of all meters, 0 to 1; only meters that prove themselves and have no fault call in. */
  readonly share: number;
  readonly host: string;
  readonly port: number;
}

/** A call that lasted so long was worth it: the next pause is the shortest again, ms. */
const WORTH_MS = 10_000;
const KEEP_ALIVE_MS = 30_000;

/** A simulated meter behind an address that nobody can dial: it calls in, stays connected, and calls again when it is cut off. */
export class MeterCall {
  readonly #meter: DialledMeter;
  readonly #firstWord: Uint8Array | undefined;
  readonly #gate: Callers;
  readonly #sockets: Set<Socket>;
  readonly #random: Random;
  #pause: number = CALL_AGAIN_MS.first;
  #again: NodeJS.Timeout | undefined;
  #stopped = false;

  /** `firstWord`: what it says when it is connected; undefined: it waits to be asked. */
  constructor(
    meter: DialledMeter,
    firstWord: Uint8Array | undefined,
    gate: Callers,
    sockets: Set<Socket>,
    random: Random,
  ) {
    this.#meter = meter;
    this.#firstWord = firstWord;
    this.#gate = gate;
    this.#sockets = sockets;
    this.#random = random;
    this.#callAfter(fraction(random) * CALL_AGAIN_MS.first);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#again);
  }

  #callAfter(ms: number): void {
    if (!this.#stopped) this.#again = setTimeout(() => this.#call(), ms);
  }

  #call(): void {
    const { host, port } = this.#gate;
    const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS });
    const begun = Date.now();
    serveMeter(this.#meter, socket, this.#sockets, 0);
    socket.once("connect", () => {
      if (this.#firstWord !== undefined) socket.write(this.#firstWord);
    });
    socket.once("close", () => {
      const worth = Date.now() - begun >= WORTH_MS;
      this.#pause = worth ? CALL_AGAIN_MS.first : Math.min(this.#pause * 2, CALL_AGAIN_MS.most);
      this.#callAfter(this.#pause * (0.5 + fraction(this.#random)));
    });
  }
}
