import { decode } from "../../wire/codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import { AContext } from "../a-context.ts";
import { DATAGRAM_OCTETS, datagramsOf, isSegment, Reassembly } from "../segmentation.ts";
import type { Delivery, ServerNode } from "./server-node.ts";

/** A node behind datagrams: joins what comes in segments, and cuts what is too long for one. */
export class DatagramPort {
  readonly #node: Pick<ServerNode, "receive">;
  readonly #now: () => number;
  readonly #reassembly = new Reassembly();

  /** `now`: clock milliseconds. */
  constructor(node: Pick<ServerNode, "receive">, now: () => number) {
    this.#node = node;
    this.#now = now;
  }

  /** Total: one datagram in, the datagrams of the answer out. */
  receive(datagram: Uint8Array): readonly Delivery[] {
    const apdu = this.#whole(datagram);
    const answer = apdu === undefined ? undefined : this.#node.receive(apdu);
    if (answer === undefined) return [];
    return datagramsOf(answer.octets, DATAGRAM_OCTETS).map((octets) => ({ octets, afterMs: answer.afterMs }));
  }

  #whole(datagram: Uint8Array): Uint8Array | undefined {
    try {
      const apdu = decode(AContext, datagram);
      if (!isSegment(apdu)) return datagram;
      const joined = this.#reassembly.push(this.#now(), apdu);
      return joined.kind === "whole" ? joined.apdu : undefined;
    } catch (error) {
      if (error instanceof WireError) return undefined;
      throw error;
    }
  }
}
