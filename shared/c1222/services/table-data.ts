import { type Codec, mapped } from "../../wire/codec.ts";
import { checkInteger, unsigned16 } from "../../wire/integers.ts";
import { fixedOctets } from "../../wire/octet-string.ts";
import type { Reader } from "../../wire/reader.ts";
import { WireError } from "../../wire/wire-error.ts";
import type { Writer } from "../../wire/writer.ts";

/** A count of this much means: a full block, another one follows. */
export const FULL_BLOCK = 0xffff;

/** Two's complement of the sum of the octets, modulo 256. */
export function tableChecksum(data: Uint8Array): number {
  let sum = 0;
  for (const octet of data) sum += octet;
  return -sum & 0xff;
}

function readBlock(source: Reader): Uint8Array {
  const count = unsigned16.read(source);
  const data = source.take(count, "table data");
  const { offset } = source;
  const checksum = source.unsigned8("the checksum of table data");
  if (checksum !== tableChecksum(data))
    throw new WireError(
      "wire.check",
      `expected the checksum ${tableChecksum(data)} of table data, got ${checksum}`,
      offset,
    );
  return data;
}

function writeBlock(target: Writer, data: Uint8Array): void {
  checkInteger(target, "a count of table data", data.length, 0, FULL_BLOCK);
  target.unsigned16(data.length);
  target.octets(data);
  target.unsigned8(tableChecksum(data));
}

/** Count, data and checksum of a write. */
export const TableBlock: Codec<Uint8Array> = { read: readBlock, write: writeBlock };

/** Data of a read: blocks of which all but the last are full, joined. */
export const TableData: Codec<Uint8Array> = {
  read: (source) => {
    const blocks: Uint8Array[] = [];
    do blocks.push(readBlock(source));
    while (blocks.at(-1)?.length === FULL_BLOCK);
    if (blocks.length === 1) return blocks[0] as Uint8Array;
    const whole = new Uint8Array(blocks.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const block of blocks) {
      whole.set(block, at);
      at += block.length;
    }
    return whole;
  },
  write: (target, data) => {
    for (let at = 0; at <= data.length; at += FULL_BLOCK) writeBlock(target, data.subarray(at, at + FULL_BLOCK));
  },
};

/** An offset in a table: 3 octets. */
export const unsigned24: Codec<number> = mapped(
  fixedOctets(3, "an offset"),
  (octets) => (octets[0]! << 16) | (octets[1]! << 8) | octets[2]!,
  (value) => Uint8Array.of(value >>> 16, value >>> 8, value),
);

/** Table ids: bits 0 to 10 the number, then manufacturer, pending and user-defined. */
export const TABLE_ID = { number: 0x07ff, manufacturer: 0x0800, pending: 0x1000, userDefined: 0x2000 } as const;

/** `ST23`, `MT5`, `ST23 pending`: a table as people write it. */
export const tableName = (id: number): string =>
  `${(id & TABLE_ID.manufacturer) === 0 ? "ST" : "MT"}${id & TABLE_ID.number}${(id & TABLE_ID.pending) === 0 ? "" : " pending"}`;
