import { type Codec, sequence } from "../../wire/codec.ts";
import { unsigned16 } from "../../wire/integers.ts";
import { unsigned24 } from "./table-data.ts";

export const FULL_READ = 0x30;
export const DEFAULT_READ = 0x3e;
export const OFFSET_READ = 0x3f;

/** Full read, code 30. */
export const FullRead = sequence({ tableId: unsigned16 });
/** Partial read by offset, code 3F: octets. */
export const PartialReadOffset = sequence({ tableId: unsigned16, offset: unsigned24, octetCount: unsigned16 });

export interface PartialReadIndex {
  readonly tableId: number;
  /** Element numbers, outermost first: one for each of the codes 31 to 39. */
  readonly index: readonly number[];
  /** Elements, not octets. */
  readonly elementCount: number;
}
/** Partial read by index, code 30 + number of indices. */
export const partialReadIndex = (indices: number): Codec<PartialReadIndex> => ({
  read: (source) => ({
    tableId: unsigned16.read(source),
    index: Array.from({ length: indices }, () => unsigned16.read(source)),
    elementCount: unsigned16.read(source),
  }),
  write: (target, { tableId, index, elementCount }) => {
    for (const number of [tableId, ...index, elementCount]) unsigned16.write(target, number);
  },
});
