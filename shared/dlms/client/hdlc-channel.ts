import { SessionError } from "../../metering/failure.ts";
import type { Clock } from "../../ports/clock.ts";
import { type Link, LinkError } from "../../ports/link.ts";
import { decode, encode } from "../../wire/codec.ts";
import { type HdlcFrame, hdlcControlOf } from "../hdlc-frame.ts";
import { HDLC_DEFAULTS, type HdlcParameters, HdlcParametersCodec, negotiated } from "../hdlc-parameters.ts";
import { HdlcSplitter } from "../hdlc-splitter.ts";
import { HDLC_CONTROL, type HdlcAddresses, HdlcStation, hdlcFrame, sameAddress } from "../hdlc-station.ts";
import type { ApduChannel } from "./apdu-link.ts";

export interface HdlcChannelOptions {
  readonly link: Link;
  readonly clock: Clock;
  readonly addresses: HdlcAddresses;
  /** What we can, and propose. */
  readonly parameters: HdlcParameters;
  /** After this long without an answer a turn is repeated, ms. */
  readonly repeatAfterMs: number;
  readonly onFrame?: ((direction: "sent" | "received", octets: Uint8Array) => void) | undefined;
}

/** How often one turn is repeated. */
export const HDLC_REPEATS = 3;

/** APDUs over an HDLC link that we are the primary of, also through a TCP gateway that passes the octets on. */
export class HdlcChannel implements ApduChannel {
  readonly #options: HdlcChannelOptions;
  readonly #splitter = new HdlcSplitter();
  #station: HdlcStation | undefined;
  #frames: HdlcFrame[] = [];
  #apdus: Uint8Array[] = [];
  #ourTurn = true;
  #repeats = 0;
  #heard = false;

  constructor(options: HdlcChannelOptions) {
    this.#options = options;
  }

  get heard(): boolean {
    return this.#heard;
  }

  /** SNRM and UA. Throws `SessionError` `dlms.hdlc-refused`, `LinkError`, `WireError`. */
  async open(deadline: number): Promise<void> {
    const { addresses, parameters } = this.#options;
    const canonical = Object.entries(HDLC_DEFAULTS).every(
      ([name, value]) => parameters[name as keyof HdlcParameters] === value,
    );
    const information = canonical ? undefined : encode(HdlcParametersCodec, parameters);
    const frame = await this.#command(HDLC_CONTROL.snrm, information, deadline);
    if (hdlcControlOf(frame.control).name === "DM")
      throw new SessionError("refused", "dlms.hdlc-refused", "the meter refused the link (DM)", { retry: "later" });
    const granted = frame.information.length === 0 ? HDLC_DEFAULTS : decode(HdlcParametersCodec, frame.information);
    this.#station = new HdlcStation("primary", addresses, negotiated(parameters, granted));
  }

  /** DISC; answered or not. */
  async disconnect(deadline: number): Promise<void> {
    if (this.#station === undefined) return;
    this.#station = undefined;
    await this.#command(HDLC_CONTROL.disc, undefined, deadline);
  }

  async send(apdu: Uint8Array): Promise<void> {
    const station = this.#connected();
    station.submit(apdu);
    if (this.#ourTurn) await this.#takeTurn();
  }

  /** The next APDU: acknowledges, polls and repeats until it is whole. */
  async receive(deadline: number): Promise<Uint8Array> {
    for (;;) {
      const apdu = this.#apdus.shift();
      if (apdu !== undefined) return apdu;
      if (this.#ourTurn) await this.#takeTurn();
      const frame = await this.#frameOrSilence(deadline);
      if (frame === "silence") this.#repeat();
      else this.#take(frame);
    }
  }

  #take(frame: HdlcFrame): void {
    const { name } = hdlcControlOf(frame.control);
    if (name === "DM" || name === "FRMR" || name === "UA") {
      this.#station = undefined;
      throw new SessionError("interrupted", "dlms.hdlc-reset", `the meter ended the link (${name})`);
    }
    const taken = this.#connected().take(frame);
    if (taken.apdu !== undefined) this.#apdus.push(taken.apdu);
    this.#repeats = 0;
    if (taken.turn) this.#ourTurn = true;
  }

  #repeat(): void {
    this.#repeats += 1;
    if (this.#repeats > HDLC_REPEATS) throw new LinkError("link.timeout", "the meter did not answer repeated frames");
    this.#ourTurn = true; // the same frames again, or a poll
  }

  #connected(): HdlcStation {
    if (this.#station === undefined) throw new LinkError("link.closed", "the HDLC link is not connected");
    return this.#station;
  }

  async #takeTurn(): Promise<void> {
    this.#ourTurn = false;
    for (const frame of this.#connected().turn()) await this.#transmit(frame);
  }

  async #command(control: number, information: Uint8Array | undefined, deadline: number): Promise<HdlcFrame> {
    const frame = hdlcFrame(this.#options.addresses, control, information);
    for (let tries = 0; ; tries++) {
      await this.#transmit(frame);
      for (;;) {
        const answer = await this.#frameOrSilence(deadline);
        if (answer === "silence") break;
        const { name } = hdlcControlOf(answer.control);
        if (name === "UA" || name === "DM") return answer;
      }
      if (tries >= HDLC_REPEATS) throw new LinkError("link.timeout", "the meter did not answer on the HDLC link");
    }
  }

  async #transmit(frame: Uint8Array): Promise<void> {
    this.#options.onFrame?.("sent", frame);
    await this.#options.link.send(frame);
  }

  /** The next frame between our addresses; `silence`: it is time to repeat. Throws `link.timeout` at the deadline. */
  async #frameOrSilence(deadline: number): Promise<HdlcFrame | "silence"> {
    const { link, clock, addresses, repeatAfterMs, onFrame } = this.#options;
    const until = Math.min(deadline, clock.now() + repeatAfterMs);
    for (;;) {
      const frame = this.#frames.shift();
      if (frame !== undefined) return frame;
      let chunk: Uint8Array;
      try {
        chunk = await link.receive(until);
      } catch (error) {
        if (error instanceof LinkError && error.code === "link.timeout" && until < deadline) return "silence";
        throw error;
      }
      this.#heard = true;
      for (const split of this.#splitter.push(chunk)) {
        onFrame?.("received", split.octets);
        const { source, destination } = split.frame;
        if (sameAddress(source, addresses.peer) && sameAddress(destination, addresses.own))
          this.#frames.push(split.frame);
      }
    }
  }
}
