import { concat } from "../ports/octets.ts";
import { encode } from "../wire/codec.ts";
import { type HdlcAddress, type HdlcFrame, HdlcFrameCodec, hdlcControlOf, llcOf } from "./hdlc-frame.ts";
import type { HdlcParameters } from "./hdlc-parameters.ts";

/** Control fields without sequence numbers, poll/final bit set (UI also without). */
export const HDLC_CONTROL = { snrm: 0x93, disc: 0x53, ua: 0x73, dm: 0x1f, frmr: 0x97, ui: 0x13 } as const;
const POLL_FINAL = 0x10;
/** Octets of one APDU that comes in segments. */
export const HDLC_APDU_MAX = 0x1_0000;

/** Which side of the link: only the primary speaks unasked, and the LLC header tells the direction. */
export type HdlcRole = "primary" | "secondary";

export interface HdlcAddresses {
  readonly own: HdlcAddress;
  readonly peer: HdlcAddress;
}

/** What a received frame brought. */
export interface Taken {
  /** An APDU that is complete, its LLC header taken off. */
  readonly apdu?: Uint8Array;
  /** The other side has given the turn. */
  readonly turn: boolean;
  /** Information without a number was in it: a push. */
  readonly unnumbered?: boolean;
}

interface Sent {
  readonly sequence: number;
  readonly segmented: boolean;
  readonly information: Uint8Array;
}

/**
 * One side of a connected HDLC link in normal response mode (IEC 62056-46): numbering modulo 8, windows, segmentation of
 * LLC PDUs, retransmission from the first frame that was not acknowledged. Pure: frames in, frames out; time-outs and
 * the connection itself (SNRM, UA, DISC, DM) are the caller's.
 */
export class HdlcStation {
  readonly #addresses: HdlcAddresses;
  readonly #role: HdlcRole;
  readonly #parameters: HdlcParameters;
  /** V(R): number expected next. */
  #expected = 0;
  /** V(S): number sent next for the first time. */
  #next = 0;
  #unacknowledged: Sent[] = [];
  #waiting: Omit<Sent, "sequence">[] = [];
  #parts: Uint8Array[] = [];
  #unnumbered: Uint8Array[] = [];
  #peerBusy = false;

  constructor(role: HdlcRole, addresses: HdlcAddresses, parameters: HdlcParameters) {
    this.#role = role;
    this.#addresses = addresses;
    this.#parameters = parameters;
  }

  /** Everything submitted has been sent and acknowledged. */
  get delivered(): boolean {
    return this.#waiting.length === 0 && this.#unacknowledged.length === 0;
  }

  /** Cuts an APDU behind its LLC header into segments, to be sent when it is our turn. */
  submit(apdu: Uint8Array): void {
    const whole = concat(Uint8Array.of(0xe6, this.#role === "primary" ? 0xe6 : 0xe7, 0x00), apdu);
    const { transmitMax } = this.#parameters;
    for (let at = 0; at < whole.length; at += transmitMax)
      this.#waiting.push({
        segmented: at + transmitMax < whole.length,
        information: whole.subarray(at, at + transmitMax),
      });
  }

  /** Frames of one turn: what was not acknowledged, then new ones up to the window; the last one gives the turn away. */
  turn(): readonly Uint8Array[] {
    const { transmitWindow } = this.#parameters;
    if (!this.#peerBusy)
      while (this.#unacknowledged.length < transmitWindow) {
        const next = this.#waiting.shift();
        if (next === undefined) break;
        this.#unacknowledged.push({ ...next, sequence: this.#next });
        this.#next = (this.#next + 1) & 7;
      }
    if (this.#peerBusy || this.#unacknowledged.length === 0)
      return [this.#frame((this.#expected << 5) | 0x01 | POLL_FINAL)];
    return this.#unacknowledged.map(({ sequence, segmented, information }, index, all) => {
      const poll = index === all.length - 1 ? POLL_FINAL : 0;
      return this.#frame((this.#expected << 5) | poll | (sequence << 1), segmented, information);
    });
  }

  /** One frame between these two addresses that is I, RR, RNR or UI. Others are the caller's. */
  take({ control, information, segmented }: HdlcFrame): Taken {
    const { name, pollFinal, sendSequence, receiveSequence } = hdlcControlOf(control);
    if (name === "UI") return this.#takeUnnumbered(information, segmented, pollFinal);
    if (receiveSequence !== undefined) this.#acknowledge(receiveSequence);
    this.#peerBusy = name === "RNR";
    if (name !== "I" || sendSequence !== this.#expected) return { turn: pollFinal }; // a repetition, or after a gap
    if (information.length > this.#parameters.receiveMax) return { turn: pollFinal };
    this.#expected = (this.#expected + 1) & 7;
    this.#parts.push(information);
    if (segmented) {
      if (this.#parts.reduce((sum, part) => sum + part.length, 0) > HDLC_APDU_MAX) this.#parts = [];
      return { turn: pollFinal };
    }
    const llc = llcOf(concat(...this.#parts));
    this.#parts = [];
    return llc !== undefined && llc.sourceLsap === this.#peerLsap
      ? { turn: pollFinal, apdu: llc.apdu }
      : { turn: pollFinal };
  }

  get #peerLsap(): number {
    return this.#role === "primary" ? 0xe7 : 0xe6;
  }

  #takeUnnumbered(information: Uint8Array, segmented: boolean, pollFinal: boolean): Taken {
    this.#unnumbered.push(information);
    const length = this.#unnumbered.reduce((sum, part) => sum + part.length, 0);
    if (segmented && length <= HDLC_APDU_MAX) return { turn: false };
    const llc = llcOf(concat(...this.#unnumbered));
    this.#unnumbered = [];
    const turn = this.#role === "secondary" && pollFinal;
    return llc === undefined || segmented ? { turn } : { turn, apdu: llc.apdu, unnumbered: true };
  }

  /** N(R) acknowledges everything before it; one outside of what is under way acknowledges nothing. */
  #acknowledge(receiveSequence: number): void {
    const index = this.#unacknowledged.findIndex(({ sequence }) => sequence === receiveSequence);
    if (index >= 0) this.#unacknowledged.splice(0, index);
    else if (receiveSequence === this.#next) this.#unacknowledged = [];
  }

  #frame(control: number, segmented = false, information: Uint8Array = new Uint8Array(0)): Uint8Array {
    return hdlcFrame(this.#addresses, control, information, segmented);
  }
}

/** A frame from us to the other side. */
export const hdlcFrame = (
  { own, peer }: HdlcAddresses,
  control: number,
  information: Uint8Array = new Uint8Array(0),
  segmented = false,
): Uint8Array => encode(HdlcFrameCodec, { segmented, destination: peer, source: own, control, information });

/** The same device: how many octets an address has does not matter. */
export const sameAddress = (left: HdlcAddress, right: HdlcAddress): boolean =>
  left.upper === right.upper && (left.lower ?? right.lower) === (right.lower ?? left.lower);
