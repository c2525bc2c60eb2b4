import { decode } from "../../wire/codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import { Wrapper, type WrapperPdu, WrapperSplitter, wrap } from "../wrapper.ts";
import { AssociationTable } from "./association-table.ts";
import type { LogicalDevice } from "./logical-device.ts";
import { decodedOr } from "./protection.ts";
import type { ServerPorts } from "./server-association.ts";

/** What a connection wants done after octets came: send these, in order, then perhaps close. */
export interface Reaction {
  readonly send: readonly Uint8Array[];
  readonly close: boolean;
}

/**
 * The server side of one TCP connection (wrapper, IEC 62056-47): a stream of octets in, wrapped answers out. It may
 * carry an association for each client SAP.
 */
export class ServerConnection {
  readonly #device: LogicalDevice;
  readonly #splitter = new WrapperSplitter();
  readonly #table: AssociationTable;

  constructor(device: LogicalDevice, ports: ServerPorts) {
    this.#device = device;
    this.#table = new AssociationTable(device, ports);
  }

  /** True while blocks of an answer wait to be asked for. */
  get blocksWaiting(): boolean {
    return this.#table.blocksWaiting;
  }

  /** Total: octets that are no wrapper PDU end the connection, for the stream has no mark to find the next one by. */
  receive(octets: Uint8Array): Reaction {
    const send: Uint8Array[] = [];
    try {
      for (const pdu of this.#splitter.push(octets)) {
        for (const answer of this.#answers(pdu)) send.push(wrap(this.#device.serverSap, pdu.sourceWPort, answer));
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return { send, close: true };
    }
    return { send, close: false };
  }

  #answers({ sourceWPort, destinationWPort, apdu }: WrapperPdu): readonly Uint8Array[] {
    if (destinationWPort !== this.#device.serverSap) return []; // no such logical device: nobody is there to answer
    return this.#table.answers(sourceWPort, apdu);
  }
}

/** The server side of datagrams of one peer: each is one wrapper PDU; what is none is passed over. */
export class DatagramConnection {
  readonly #device: LogicalDevice;
  readonly #table: AssociationTable;

  constructor(device: LogicalDevice, ports: ServerPorts) {
    this.#device = device;
    this.#table = new AssociationTable(device, ports);
  }

  get blocksWaiting(): boolean {
    return this.#table.blocksWaiting;
  }

  receive(datagram: Uint8Array): Reaction {
    const { serverSap } = this.#device;
    const pdu = decodedOr(() => decode(Wrapper, datagram));
    if (pdu === undefined || pdu.apdu.length === 0 || pdu.destinationWPort !== serverSap)
      return { send: [], close: false };
    const answers = this.#table.answers(pdu.sourceWPort, pdu.apdu);
    return { send: answers.map((answer) => wrap(serverSap, pdu.sourceWPort, answer)), close: false };
  }
}
