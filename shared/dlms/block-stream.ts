import { concat } from "../ports/octets.ts";
import type { GeneralBlockTransfer } from "./general-block-transfer.ts";

/** Octets of one APDU in blocks, and the most blocks that their numbers can tell. */
export const STREAM_MAX = 0x40_0000;
const NUMBER_MAX = 0xffff;
/** Octets of tag, control, numbers and length around block data. */
export const GBT_OVERHEAD = 9;
const EMPTY = new Uint8Array(0);

export interface BlockStreamOptions {
  /** Octets of block data in one APDU. */
  readonly blockSize: number;
  /** Blocks that we take in a row, 1..63. */
  readonly window: number;
}

/** What a received block brought. */
export interface BlockTaken {
  /** The APDU that the blocks join to. */
  readonly apdu?: Uint8Array;
  /** The other side has given the turn. */
  readonly turn: boolean;
  /** It can't go on: numbers at their end, or an APDU too long. */
  readonly broken?: true;
}

/**
 * One side of General-Block-Transfer for one confirmed service: blocks in windows, streaming, and going back to the first
 * block that was not acknowledged. Pure: time-outs are the caller's, who then repeats the last turn.
 */
export class BlockStream {
  readonly #options: BlockStreamOptions;
  #outgoing: readonly Uint8Array[] = [];
  /** Number of the first outgoing block; own number that is free next. */
  #base = 1;
  #next = 1;
  #acknowledged = 0;
  /** Number of the last block without data; it is used again until the other side has seen it. */
  #bare = 0;
  #received = 0;
  #parts: Uint8Array[] = [];
  #length = 0;
  #peerWindow = 1;
  #last: readonly GeneralBlockTransfer[] = [];

  constructor(options: BlockStreamOptions) {
    this.#options = options;
  }

  /** Cuts an APDU into blocks; false: it needs more than there are numbers. */
  submit(apdu: Uint8Array): boolean {
    const { blockSize } = this.#options;
    const count = Math.max(1, Math.ceil(apdu.length / blockSize));
    if (this.#next + count > NUMBER_MAX) return false;
    const bare = this.#bare > this.#acknowledged;
    this.#base = bare ? this.#bare : this.#next;
    this.#next += count;
    const blocks = Array.from({ length: count }, (_, at) => apdu.subarray(at * blockSize, (at + 1) * blockSize));
    this.#outgoing = bare ? [EMPTY, ...blocks] : blocks; // it may have been lost: it goes before what follows it
    return true;
  }

  /** Blocks of one turn: those that the other side misses, up to its window; or an acknowledgement without data. */
  turn(): readonly GeneralBlockTransfer[] {
    const { window } = this.#options;
    const blockNumberAck = this.#received;
    const from = Math.max(this.#acknowledged + 1, this.#base) - this.#base;
    const part = this.#outgoing.slice(from, from + Math.max(1, this.#peerWindow));
    if (part.length === 0 && this.#bare <= this.#acknowledged) this.#bare = this.#next++;
    this.#last =
      part.length === 0
        ? [{ lastBlock: false, streaming: false, window, blockNumber: this.#bare, blockNumberAck, blockData: EMPTY }]
        : part.map((blockData, index) => ({
            lastBlock: from + index === this.#outgoing.length - 1,
            streaming: index < part.length - 1,
            window,
            blockNumber: this.#base + from + index,
            blockNumberAck,
            blockData,
          }));
    return this.#last;
  }

  /** The last turn once more. */
  repeat(): readonly GeneralBlockTransfer[] {
    return this.#last;
  }

  take({ lastBlock, streaming, window, blockNumber, blockNumberAck, blockData }: GeneralBlockTransfer): BlockTaken {
    if (window > 0) this.#peerWindow = window;
    if (blockNumberAck > this.#acknowledged && blockNumberAck < this.#next) this.#acknowledged = blockNumberAck;
    const turn = !streaming;
    if (this.#next >= NUMBER_MAX || this.#received >= NUMBER_MAX) return { turn, broken: true };
    if (blockNumber !== this.#received + 1) return { turn }; // a repetition, or after a gap
    this.#received = blockNumber;
    this.#length += blockData.length;
    if (this.#length > STREAM_MAX) return { turn, broken: true };
    if (blockData.length > 0) this.#parts.push(blockData);
    if (!lastBlock || this.#parts.length === 0) return { turn }; // some peers mark a bare acknowledgement as last
    const apdu = concat(...this.#parts);
    this.#parts = [];
    this.#length = 0;
    return { turn, apdu };
  }
}
