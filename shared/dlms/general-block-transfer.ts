import { type Codec, prefixed } from "../wire/codec.ts";
import { unsigned8, unsigned16 } from "../wire/integers.ts";
import { octetString } from "../wire/octet-string.ts";
import { RAW_DATA_MAX } from "./data-block.ts";

export interface GeneralBlockTransfer {
  readonly lastBlock: boolean;
  readonly streaming: boolean;
  /** 0..63: how many blocks the sender of this APDU can receive in a row. */
  readonly window: number;
  readonly blockNumber: number;
  readonly blockNumberAck: number;
  readonly blockData: Uint8Array;
}

const blockData = octetString(RAW_DATA_MAX, "block data");

const fields: Codec<GeneralBlockTransfer> = {
  read: (source) => {
    const control = unsigned8.read(source);
    return {
      lastBlock: (control & 0x80) !== 0,
      streaming: (control & 0x40) !== 0,
      window: control & 0x3f,
      blockNumber: unsigned16.read(source),
      blockNumberAck: unsigned16.read(source),
      blockData: blockData.read(source),
    };
  },
  write: (target, value) => {
    unsigned8.write(target, (value.lastBlock ? 0x80 : 0) | (value.streaming ? 0x40 : 0) | (value.window & 0x3f));
    unsigned16.write(target, value.blockNumber);
    unsigned16.write(target, value.blockNumberAck);
    blockData.write(target, value.blockData);
  },
};

/** IEC 62056-5-3, General-Block-Transfer, tag 224: one block; block-stream.ts is the service. */
export const GeneralBlockTransfer = prefixed("General-Block-Transfer", 0xe0, fields);
