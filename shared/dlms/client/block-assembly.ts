import { SessionError } from "../../metering/failure.ts";
import { concat } from "../../ports/octets.ts";

/** Octets of one answer that comes in blocks. */
export const ANSWER_MAX = 0x40_0000;

/** Blocks of one answer, numbered from 1 without a gap. */
export class BlockAssembly {
  readonly #parts: Uint8Array[] = [];
  #octets = 0;

  /** Number of the last block taken; 0: none yet. */
  get taken(): number {
    return this.#parts.length;
  }

  /** Throws `SessionError` `dlms.block-out-of-order` or `dlms.answer-too-long`. */
  take(blockNumber: number, rawData: Uint8Array): void {
    const expected = this.#parts.length + 1;
    if (blockNumber !== expected)
      throw new SessionError("protocol", "dlms.block-out-of-order", `expected block ${expected}, got ${blockNumber}`, {
        detail: { expected, received: blockNumber },
      });
    this.#octets += rawData.length;
    if (this.#octets > ANSWER_MAX)
      throw new SessionError("protocol", "dlms.answer-too-long", `expected at most ${ANSWER_MAX} octets in blocks`);
    this.#parts.push(rawData);
  }

  whole(): Uint8Array {
    return concat(...this.#parts);
  }
}

export interface Block {
  readonly lastBlock: boolean;
  readonly blockNumber: number;
  readonly rawData: Uint8Array;
}

/** Cuts octets into blocks numbered from 1: the first of at most `firstMax` octets, the others of `otherMax`. */
export function blocksOf(octets: Uint8Array, firstMax: number, otherMax: number): readonly Block[] {
  const blocks: Block[] = [];
  let at = 0;
  do {
    const size = blocks.length === 0 ? firstMax : otherMax;
    const rawData = octets.subarray(at, at + size);
    at += rawData.length;
    blocks.push({ lastBlock: at >= octets.length, blockNumber: blocks.length + 1, rawData });
  } while (at < octets.length);
  return blocks;
}
