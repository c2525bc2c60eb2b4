import { AContext } from "../c1222/a-context.ts";
import { DATAGRAM_OCTETS, datagramsOf, isSegment, Reassembly } from "../c1222/segmentation.ts";
import type { FanOutPoint, MulticastPoint } from "../metering/fan-out-point.ts";
import type { Clock } from "../ports/clock.ts";
import type { Link } from "../ports/link.ts";
import { decode } from "../wire/codec.ts";
import { WireError } from "../wire/wire-error.ts";
import type { FanOut } from "./group-send.ts";
import type { Relays } from "./relay-dial.ts";

/** Sends one datagram to a multicast address; answers come to the socket that it is sent from. */
export type MulticastSend = (point: MulticastPoint, datagram: Uint8Array) => Promise<void>;

/** Makes whole messages of the datagrams that come to a socket; what is none is passed over. */
export function datagramReader(clock: Pick<Clock, "now">, onWhole: (apdu: Uint8Array) => void) {
  const reassembly = new Reassembly();
  return (datagram: Uint8Array): void => {
    try {
      const apdu = decode(AContext, datagram);
      const joined = isSegment(apdu)
        ? reassembly.push(clock.now(), apdu)
        : ({ kind: "whole", apdu: datagram } as const);
      if (joined.kind === "whole") onWhole(joined.apdu);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
  };
}

export interface FanOutPorts {
  readonly relays: Pick<Relays, "dial">;
  readonly multicast: MulticastSend;
  /** The machine's, on which windows are given. */
  readonly clock: Clock;
  /** On which deadlines of dials are given. */
  readonly sessionClock: Pick<Clock, "now">;
  readonly connectMs: number;
}

/**
 * Fan-out points by what they are. A relay's connection, over which its branch answers, is held for the window; where it
 * ends earlier the silent are asked by themselves.
 */
export function fanOutOf({
  relays,
  multicast,
  clock,
  sessionClock,
  connectMs,
}: FanOutPorts): FanOut & { close(): void } {
  const held = new Set<Link>();
  const over = new AbortController();
  const hold = (link: Link, until: number): void => {
    held.add(link);
    const letGo = (): void => {
      held.delete(link);
      void link.close();
    };
    void clock.sleep(Math.max(0, until - clock.now()), over.signal).then(letGo, letGo);
  };
  return {
    async send(point: FanOutPoint, apdu, until) {
      const datagrams = datagramsOf(apdu, DATAGRAM_OCTETS);
      if (point.kind === "multicast") {
        for (const datagram of datagrams) await multicast(point, datagram);
        return;
      }
      const link = await relays.dial(point, sessionClock.now() + connectMs);
      try {
        for (const octets of link.kind === "stream" ? [apdu] : datagrams) await link.send(octets);
      } catch (error) {
        await link.close();
        throw error;
      }
      hold(link, until);
    },
    close: () => over.abort(),
  };
}
