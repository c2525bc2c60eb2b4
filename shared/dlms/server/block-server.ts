import { equalOctets } from "../../ports/octets.ts";
import { decode, encode } from "../../wire/codec.ts";
import { BlockStream, GBT_OVERHEAD } from "../block-stream.ts";
import { GeneralBlockTransfer } from "../general-block-transfer.ts";
import { decodedOr } from "./protection.ts";

/** Blocks that a meter takes in a row. */
const WINDOW = 5;

/** The server side of General-Block-Transfer of one association: an exchange begins with a block 1 that is new. */
export class BlockServer {
  #stream: BlockStream | undefined;
  #first: Uint8Array | undefined;

  /** `serve`: answers a whole APDU. Answers go out in turns; undefined: these octets are malformed or out of place. */
  receive(
    octets: Uint8Array,
    sendMax: number,
    serve: (apdu: Uint8Array) => Uint8Array | undefined,
  ): readonly Uint8Array[] | undefined {
    const block = decodedOr(() => decode(GeneralBlockTransfer, octets));
    if (block === undefined) return undefined;
    const begins = block.blockNumber === 1 && block.blockNumberAck === 0;
    if (begins && !(this.#first !== undefined && equalOctets(this.#first, octets))) {
      this.#first = octets.slice();
      this.#stream = new BlockStream({ blockSize: Math.max(1, sendMax - GBT_OVERHEAD), window: WINDOW });
    }
    const stream = this.#stream;
    if (stream === undefined) return undefined;
    const taken = stream.take(block);
    if (taken.broken) {
      this.#stream = undefined;
      return undefined;
    }
    if (taken.apdu !== undefined) {
      const answer = serve(taken.apdu);
      if (answer === undefined || !stream.submit(answer)) return [];
      return stream.turn().map((each) => encode(GeneralBlockTransfer, each));
    }
    return taken.turn ? stream.turn().map((each) => encode(GeneralBlockTransfer, each)) : [];
  }
}
