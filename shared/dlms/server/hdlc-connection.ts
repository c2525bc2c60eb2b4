import { decode, encode } from "../../wire/codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import { type HdlcFrame, hdlcControlOf } from "../hdlc-frame.ts";
import { HDLC_DEFAULTS, type HdlcParameters, HdlcParametersCodec, negotiated } from "../hdlc-parameters.ts";
import { HdlcSplitter } from "../hdlc-splitter.ts";
import { HDLC_CONTROL, type HdlcAddresses, HdlcStation, hdlcFrame } from "../hdlc-station.ts";
import { AssociationTable } from "./association-table.ts";
import type { Reaction } from "./connection.ts";
import type { LogicalDevice } from "./logical-device.ts";
import type { ServerPorts } from "./server-association.ts";

export interface HdlcServerOptions {
  /** Lower address; a client that sends one octet names none. */
  readonly physicalDevice: number;
  /** What the meter can. */
  readonly parameters: HdlcParameters;
}

/** The server side of one HDLC line or gateway connection: octets in, frames out; a secondary for each client address. */
export class HdlcServerConnection {
  readonly #device: LogicalDevice;
  readonly #options: HdlcServerOptions;
  readonly #splitter = new HdlcSplitter();
  readonly #table: AssociationTable;
  readonly #stations = new Map<number, HdlcStation>();

  constructor(device: LogicalDevice, ports: ServerPorts, options: HdlcServerOptions) {
    this.#device = device;
    this.#options = options;
    this.#table = new AssociationTable(device, ports);
  }

  get blocksWaiting(): boolean {
    return this.#table.blocksWaiting;
  }

  /** Total: noise is passed over. */
  receive(octets: Uint8Array): Reaction {
    return { send: this.#splitter.push(octets).flatMap(({ frame }) => this.#answer(frame)), close: false };
  }

  #answer(frame: HdlcFrame): readonly Uint8Array[] {
    const { destination, source, control } = frame;
    if (source.octets !== 1 || destination.upper !== this.#device.serverSap) return [];
    if (destination.lower !== undefined && destination.lower !== this.#options.physicalDevice) return [];
    const addresses = { own: destination, peer: source };
    const client = source.upper;
    const { name } = hdlcControlOf(control);
    if (name === "SNRM") return this.#connect(client, addresses, frame.information);
    const station = this.#stations.get(client);
    if (name === "DISC") {
      this.#disconnect(client);
      return [hdlcFrame(addresses, station === undefined ? HDLC_CONTROL.dm : HDLC_CONTROL.ua)];
    }
    if (station === undefined) return [hdlcFrame(addresses, HDLC_CONTROL.dm)];
    if (name === "unknown") return [hdlcFrame(addresses, HDLC_CONTROL.frmr, Uint8Array.of(control, 0, 0x01))];
    const taken = station.take(frame);
    const answers = taken.apdu === undefined ? [] : this.#table.answers(client, taken.apdu);
    if (taken.unnumbered !== true) for (const answer of answers) station.submit(answer);
    return taken.turn ? station.turn() : [];
  }

  #connect(client: number, addresses: HdlcAddresses, information: Uint8Array): readonly Uint8Array[] {
    let proposed = HDLC_DEFAULTS;
    try {
      if (information.length > 0) proposed = decode(HdlcParametersCodec, information);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return [hdlcFrame(addresses, HDLC_CONTROL.dm)];
    }
    this.#table.drop(client); // a link that is connected again begins without associations
    const parameters = negotiated(this.#options.parameters, proposed);
    this.#stations.set(client, new HdlcStation("secondary", addresses, parameters));
    return [hdlcFrame(addresses, HDLC_CONTROL.ua, encode(HdlcParametersCodec, parameters))];
  }

  #disconnect(client: number): void {
    this.#stations.delete(client);
    this.#table.drop(client);
  }
}
