import { decode } from "../../wire/codec.ts";
import { Aarq } from "../aarq.ts";
import { rejection } from "./associate.ts";
import type { LogicalDevice } from "./logical-device.ts";
import { decodedOr } from "./protection.ts";
import { ServerAssociation, type ServerPorts } from "./server-association.ts";

/** The associations of one connection, one for each client SAP, whatever frames them. */
export class AssociationTable {
  readonly #device: LogicalDevice;
  readonly #ports: ServerPorts;
  readonly #associations = new Map<number, ServerAssociation>();

  constructor(device: LogicalDevice, ports: ServerPorts) {
    this.#device = device;
    this.#ports = ports;
  }

  /** True while blocks of an answer wait to be asked for. */
  get blocksWaiting(): boolean {
    for (const association of this.#associations.values()) if (association.blocksWaiting) return true;
    return false;
  }

  /** The answers to an APDU of a client: one, none, or the blocks of one. */
  answers(clientSap: number, apdu: Uint8Array): readonly Uint8Array[] {
    if (this.#device.unanswered?.has(clientSap) === true) return [];
    const association = this.#associations.get(clientSap) ?? this.#open(clientSap);
    if (association !== undefined) return association.receiveAny(apdu);
    const aarq = decodedOr(() => decode(Aarq, apdu));
    return aarq === undefined ? [] : [rejection(aarq.applicationContextName, "no-reason-given")];
  }

  /** Ends what a client has. */
  drop(clientSap: number): void {
    this.#associations.delete(clientSap);
  }

  #open(clientSap: number): ServerAssociation | undefined {
    const rule = this.#device.clients.get(clientSap);
    if (rule === undefined) return undefined;
    const association = new ServerAssociation(this.#device, clientSap, rule, this.#ports);
    this.#associations.set(clientSap, association);
    return association;
  }
}
