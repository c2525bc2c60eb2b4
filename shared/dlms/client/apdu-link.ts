import { SessionError } from "../../metering/failure.ts";
import { type Link, LinkError } from "../../ports/link.ts";
import type { RepeatingLink } from "../../ports/repeating-link.ts";
import { decode } from "../../wire/codec.ts";
import { WireError } from "../../wire/wire-error.ts";
import { type SplitPdu, Wrapper, WrapperSplitter, wrap } from "../wrapper.ts";

export interface ApduLinkOptions {
  /** A datagram link repeats what is harmless where it is a `RepeatingLink`. */
  readonly link: Link | RepeatingLink;
  readonly clientSap: number;
  readonly serverSap: number;
  readonly onFrame?: ((direction: "sent" | "received", octets: Uint8Array) => void) | undefined;
}

/**
 * What a broken link means for a conversation; any other error is passed on as it is. `heard`: the meter has said
 * something; a connection that closes before that was none, and stays a `LinkError`.
 */
export function conversationError(error: unknown, heard = true): unknown {
  if (error instanceof WireError)
    return new SessionError("protocol", "dlms.malformed-answer", `the meter's answer is malformed: ${error.message}`, {
      cause: error,
      detail: { wire: error.code, offset: error.offset },
    });
  if (!(error instanceof LinkError)) return error;
  if (error.code === "link.timeout")
    return new SessionError("timeout", "dlms.no-answer", "expected an answer in time, got none", { cause: error });
  if (error.code === "link.closed" && heard)
    return new SessionError(
      "interrupted",
      "dlms.connection-closed",
      "the connection closed in the middle of a conversation",
      {
        cause: error,
      },
    );
  return error;
}

/** APDUs to and from one logical device, whatever frames them: the wrapper or HDLC. */
export interface ApduChannel {
  /** Whether any octets have come. */
  readonly heard: boolean;
  /** APDUs of any length go through. */
  readonly unlimited?: boolean;
  /** Connects the layer below, where it has a connection of its own. */
  open?(deadline: number): Promise<void>;
  /** `harmless`: a channel without a memory of its own may send it again while nothing comes, the very same octets. */
  send(apdu: Uint8Array, harmless?: boolean): Promise<void>;
  /** How often something was sent again so. */
  readonly repeats?: number;
  /** Rejects with `LinkError` as the link does, and `WireError` on a bad frame. */
  receive(deadline: number): Promise<Uint8Array>;
  /** Ends the layer below politely. */
  disconnect?(deadline: number): Promise<void>;
}

/** APDUs between one client SAP and one server SAP of a wrapper connection. PDUs of other pairs are passed over. */
export class ApduLink implements ApduChannel {
  readonly #options: ApduLinkOptions;
  readonly #splitter = new WrapperSplitter();
  #queued: readonly SplitPdu[] = [];
  /** How many of them were taken. */
  #taken = 0;
  #heard = false;

  constructor(options: ApduLinkOptions) {
    this.#options = options;
  }

  /** Whether any octets have come. */
  get heard(): boolean {
    return this.#heard;
  }

  get repeats(): number {
    const { link } = this.#options;
    return "repeats" in link ? link.repeats : 0;
  }

  send(apdu: Uint8Array, harmless = false): Promise<void> {
    const { link, clientSap, serverSap, onFrame } = this.#options;
    const frame = wrap(clientSap, serverSap, apdu);
    onFrame?.("sent", frame);
    return harmless && "sendRepeatedly" in link ? link.sendRepeatedly(frame) : link.send(frame);
  }

  /** The next APDU from the server SAP. Rejects with `LinkError` as the link does, and `WireError` on a bad wrapper. */
  async receive(deadline: number): Promise<Uint8Array> {
    const { link, clientSap, serverSap, onFrame } = this.#options;
    for (;;) {
      const pdu = this.#queued[this.#taken++];
      if (pdu === undefined) {
        this.#queued = [];
        this.#taken = 0;
        const octets = await link.receive(deadline);
        this.#heard = true;
        this.#queued = this.#split(octets);
        continue;
      }
      onFrame?.("received", pdu.frame);
      if (pdu.sourceWPort === serverSap && pdu.destinationWPort === clientSap) return pdu.apdu;
    }
  }

  #split(octets: Uint8Array): readonly SplitPdu[] {
    if (this.#options.link.kind === "stream") return this.#splitter.push(octets);
    try {
      return [{ ...decode(Wrapper, octets), frame: octets }];
    } catch (error) {
      if (error instanceof WireError) return []; // one bad datagram says nothing about the next
      throw error;
    }
  }
}
