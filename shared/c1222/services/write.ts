import { type Codec, sequence } from "../../wire/codec.ts";
import { unsigned16 } from "../../wire/integers.ts";
import { TableBlock, unsigned24 } from "./table-data.ts";

export const FULL_WRITE = 0x40;
export const OFFSET_WRITE = 0x4f;

/** Full write, code 40. */
export const FullWrite = sequence({ tableId: unsigned16, data: TableBlock });
/** Partial write by offset, code 4F. */
export const PartialWriteOffset = sequence({ tableId: unsigned16, offset: unsigned24, data: TableBlock });

export interface PartialWriteIndex {
  readonly tableId: number;
  /** Element numbers, outermost first: one for each of the codes 41 to 49. */
  readonly index: readonly number[];
  readonly data: Uint8Array;
}
/** Partial write by index, code 40 + number of indices. */
export const partialWriteIndex = (indices: number): Codec<PartialWriteIndex> => ({
  read: (source) => ({
    tableId: unsigned16.read(source),
    index: Array.from({ length: indices }, () => unsigned16.read(source)),
    data: TableBlock.read(source),
  }),
  write: (target, { tableId, index, data }) => {
    for (const number of [tableId, ...index]) unsigned16.write(target, number);
    TableBlock.write(target, data);
  },
});
