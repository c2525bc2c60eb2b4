import { SessionError } from "../../metering/failure.ts";
import type { Clock } from "../../ports/clock.ts";
import { LinkError } from "../../ports/link.ts";
import { decode, encode } from "../../wire/codec.ts";
import { BlockStream, GBT_OVERHEAD } from "../block-stream.ts";
import { GeneralBlockTransfer } from "../general-block-transfer.ts";
import type { ApduChannel } from "./apdu-link.ts";

const GBT_TAG = 0xe0;
/** How often one turn is repeated. */
export const BLOCK_REPEATS = 3;

export interface BlockChannelOptions {
  readonly clock: Clock;
  /** Octets of the largest APDU that the meter accepts. */
  readonly serverMaxPduSize: number;
  /** Blocks that we take in a row, 1..63. */
  readonly window: number;
  /** After this long without a block a turn is repeated, ms. */
  readonly repeatAfterMs: number;
}

/** Requests and answers of any length by General-Block-Transfer, each exchange numbered from 1. */
export class BlockChannel implements ApduChannel {
  readonly unlimited = true;
  readonly #below: ApduChannel;
  readonly #options: BlockChannelOptions;
  #stream: BlockStream;

  constructor(below: ApduChannel, options: BlockChannelOptions) {
    this.#below = below;
    this.#options = options;
    this.#stream = this.#newStream();
  }

  get heard(): boolean {
    return this.#below.heard;
  }

  #newStream(): BlockStream {
    const { serverMaxPduSize, window } = this.#options;
    return new BlockStream({ blockSize: serverMaxPduSize - GBT_OVERHEAD, window });
  }

  async send(apdu: Uint8Array): Promise<void> {
    this.#stream = this.#newStream();
    if (!this.#stream.submit(apdu))
      throw new SessionError("unsupported", "dlms.request-too-long", "the request needs more blocks than can be told");
    await this.#transmit(this.#stream.turn());
  }

  async #transmit(blocks: readonly GeneralBlockTransfer[]): Promise<void> {
    for (const block of blocks) await this.#below.send(encode(GeneralBlockTransfer, block));
  }

  /** The next APDU; one that comes without blocks is passed on as it is. */
  async receive(deadline: number): Promise<Uint8Array> {
    const { clock, repeatAfterMs } = this.#options;
    for (let repeats = 0; ; ) {
      const until = Math.min(deadline, clock.now() + repeatAfterMs);
      let octets: Uint8Array;
      try {
        octets = await this.#below.receive(until);
      } catch (error) {
        const again = error instanceof LinkError && error.code === "link.timeout" && until < deadline;
        if (!again || repeats++ >= BLOCK_REPEATS) throw error;
        await this.#transmit(this.#stream.repeat());
        continue;
      }
      if (octets[0] !== GBT_TAG) return octets;
      const taken = this.#stream.take(decode(GeneralBlockTransfer, octets));
      if (taken.broken)
        throw new SessionError("protocol", "dlms.answer-too-long", "the blocks of an answer do not end");
      if (taken.apdu !== undefined) return taken.apdu;
      if (taken.turn) await this.#transmit(this.#stream.turn());
    }
  }

  async disconnect(deadline: number): Promise<void> {
    await this.#below.disconnect?.(deadline);
  }
}
