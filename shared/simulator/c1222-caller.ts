import { AContext } from "../c1222/a-context.ts";
import { ApduSplitter } from "../c1222/apdu-splitter.ts";
import type { NativeAddress } from "../c1222/native-address.ts";
import type { Registrant } from "../c1222/network/registrant.ts";
import { decode } from "../wire/codec.ts";
import { WireError } from "../wire/wire-error.ts";
import type { C1222Meter } from "./c1222-meter.ts";
import type { MeterConnection, MeterReaction } from "./meter.ts";

export interface CallerOptions {
  /** Where it can be dialled too; absent: it is reached by this connection alone. */
  readonly listens?: NativeAddress;
  /** What it says by itself once it is registered. */
  readonly onRegistered?: () => Uint8Array;
}

/**
 * A C12.22 meter's side of a connection that it opened: it registers over it, renews in time, and serves who asks there.
 * A new connection is a new power-up to it.
 */
export class C1222Caller {
  readonly registrant: Registrant;
  readonly #now: () => number;
  readonly #connection: MeterConnection;
  #onRegistered: (() => Uint8Array) | undefined;
  readonly #splitter = new ApduSplitter();

  /** `now`: clock milliseconds. */
  constructor(meter: Pick<C1222Meter, "connect" | "registrant">, now: () => number, options: CallerOptions = {}) {
    this.registrant = meter.registrant(options.listens);
    this.#onRegistered = options.onRegistered;
    this.#now = now;
    this.#connection = meter.connect();
  }

  /** What is to be said now. */
  due(): readonly Uint8Array[] {
    const request = this.registrant.due(this.#now());
    if (request !== undefined) return [request];
    const word = this.registrant.state === "registered" ? this.#onRegistered?.() : undefined;
    if (word === undefined) return [];
    this.#onRegistered = undefined;
    return [word];
  }

  /** Total. */
  receive(octets: Uint8Array): MeterReaction {
    const send: Uint8Array[] = [];
    let afterMs = 0;
    try {
      for (const apdu of this.#splitter.push(octets)) {
        if (this.registrant.receive(this.#now(), decode(AContext, apdu))) continue;
        const reaction = this.#connection.receive(apdu);
        send.push(...reaction.send);
        afterMs = Math.max(afterMs, reaction.afterMs);
        if (reaction.close) return { send, afterMs, close: true };
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return { send, afterMs, close: true };
    }
    return { send, afterMs, close: false };
  }
}
