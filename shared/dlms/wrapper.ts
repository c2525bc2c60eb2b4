import { type Codec, encode } from "../wire/codec.ts";
import { checkInteger } from "../wire/integers.ts";
import { Reader } from "../wire/reader.ts";
import { WireError } from "../wire/wire-error.ts";

/** One APDU between two wrapper ports (IEC 62056-47): the sender's SAP and the receiver's. */
export interface WrapperPdu {
  readonly sourceWPort: number;
  readonly destinationWPort: number;
  /** 0 to 65535 octets. */
  readonly apdu: Uint8Array;
}

export const WRAPPER_HEADER = 8;
export const WRAPPER_VERSION = 1;
/** Largest APDU that the length field can tell. */
export const WRAPPER_APDU_MAX = 0xffff;

function checkVersion(version: number, offset: number): void {
  if (version !== WRAPPER_VERSION)
    throw new WireError("wire.value", `expected wrapper version ${WRAPPER_VERSION}, got ${version}`, offset, {
      version,
    });
}

/** A whole wrapper PDU. */
export const Wrapper: Codec<WrapperPdu> = {
  read: (source) => {
    const { offset } = source;
    checkVersion(source.unsigned16("a wrapper version"), offset);
    const sourceWPort = source.unsigned16("a source wPort");
    const destinationWPort = source.unsigned16("a destination wPort");
    return { sourceWPort, destinationWPort, apdu: source.take(source.unsigned16("a wrapper length"), "an APDU") };
  },
  write: (target, { sourceWPort, destinationWPort, apdu }) => {
    checkInteger(target, "an APDU's length", apdu.length, 0, WRAPPER_APDU_MAX);
    target.unsigned16(WRAPPER_VERSION);
    target.unsigned16(sourceWPort);
    target.unsigned16(destinationWPort);
    target.unsigned16(apdu.length);
    target.octets(apdu);
  },
};

export const wrap = (sourceWPort: number, destinationWPort: number, apdu: Uint8Array): Uint8Array =>
  encode(Wrapper, { sourceWPort, destinationWPort, apdu });

/** A PDU with its octets as on the wire. */
export interface SplitPdu extends WrapperPdu {
  readonly frame: Uint8Array;
}

const NONE = new Uint8Array(0);

/**
 * Cuts a stream, in chunks of any size, into wrapper PDUs. A bad version throws `wire.value` and leaves the splitter
 * useless: the wrapper has no mark to find the next PDU by, so the connection must be closed. PDUs without an APDU are
 * passed over. The APDUs are views on the chunk wherever it holds the whole PDU.
 */
export class WrapperSplitter {
  #pending: Uint8Array = NONE;
  #length = 0;

  /** Octets that wait for the rest of their PDU. */
  get pending(): number {
    return this.#length;
  }

  push(chunk: Uint8Array): readonly SplitPdu[] {
    const pdus: SplitPdu[] = [];
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#length === 0) {
        const pdu = this.#whole(rest);
        if (pdu === undefined) {
          this.#keep(rest);
          break;
        }
        if (pdu.apdu.length > 0) pdus.push(pdu);
        if (pdu.frame.length === rest.length) break;
        rest = rest.subarray(pdu.frame.length);
        continue;
      }
      const wanted = this.#wanted() - this.#length;
      this.#keep(rest.subarray(0, wanted));
      rest = rest.subarray(wanted);
      const kept = this.#pending.subarray(0, this.#length);
      const pdu = this.#whole(kept);
      if (pdu === undefined) continue;
      this.#pending = NONE;
      this.#length = 0;
      if (pdu.apdu.length > 0) pdus.push(pdu);
    }
    return pdus;
  }

  /** How many octets the pending PDU needs, as far as is known. */
  #wanted(): number {
    return this.#length < WRAPPER_HEADER ? WRAPPER_HEADER : WRAPPER_HEADER + this.#apduLength(this.#pending);
  }

  #apduLength(header: Uint8Array): number {
    return ((header[6] as number) << 8) | (header[7] as number);
  }

  /** The PDU at the start of `octets`, or undefined when more octets are needed. Refuses a bad version at once. */
  #whole(octets: Uint8Array): SplitPdu | undefined {
    if (octets.length >= 2) checkVersion(((octets[0] as number) << 8) | (octets[1] as number), 0);
    if (octets.length < WRAPPER_HEADER) return undefined;
    const length = WRAPPER_HEADER + this.#apduLength(octets);
    if (octets.length < length) return undefined;
    const { sourceWPort, destinationWPort, apdu } = Wrapper.read(new Reader(octets));
    return {
      sourceWPort,
      destinationWPort,
      apdu,
      frame: octets.length === length ? octets : octets.subarray(0, length),
    };
  }

  #keep(octets: Uint8Array): void {
    const length = this.#length + octets.length;
    if (length > this.#pending.length) {
      const wanted = length >= WRAPPER_HEADER && this.#length >= WRAPPER_HEADER ? this.#wanted() : length;
      const grown = new Uint8Array(Math.max(wanted, length));
      grown.set(this.#pending.subarray(0, this.#length));
      this.#pending = grown;
    }
    this.#pending.set(octets, this.#length);
    this.#length = length;
  }
}
