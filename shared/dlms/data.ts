import type { Codec } from "../wire/codec.ts";
import { definiteLength } from "../wire/definite-length.ts";
import type { Reader } from "../wire/reader.ts";
import { WireError } from "../wire/wire-error.ts";
import type { Writer } from "../wire/writer.ts";
import { type CompactArray, readCompactArray, writeCompactArray } from "./compact-array.ts";
import { checkDepth, DATA_ELEMENTS_MAX, readSimple, simpleTag, TAG, writeSimple } from "./simple-data.ts";

/** Octets of a bit-string, first bit first; `length` counts bits. */
export interface BitString {
  readonly length: number;
  readonly octets: Uint8Array;
}

type Numeric =
  | "double-long"
  | "double-long-unsigned"
  | "bcd"
  | "integer"
  | "long"
  | "unsigned"
  | "long-unsigned"
  | "enum"
  | "float32"
  | "float64"
  | "delta-integer"
  | "delta-long"
  | "delta-double-long"
  | "delta-unsigned"
  | "delta-long-unsigned"
  | "delta-double-long-unsigned";

/** IEC 62056-6-2 common data types, production `Data` of IEC 62056-5-3: a type by its name in the standard, and the value. */
export type Data =
  | { readonly type: "null-data" | "dont-care"; readonly value: null }
  | { readonly type: "array" | "structure"; readonly value: readonly Data[] }
  | { readonly type: "boolean"; readonly value: boolean }
  | { readonly type: "bit-string"; readonly value: BitString }
  | { readonly type: Numeric; readonly value: number }
  | { readonly type: "long64" | "long64-unsigned"; readonly value: bigint }
  /** `date-time` 12 octets, `date` 5, `time` 4: see date-time.ts. */
  | { readonly type: "octet-string" | "date-time" | "date" | "time"; readonly value: Uint8Array }
  | { readonly type: "visible-string" | "utf8-string"; readonly value: string }
  | { readonly type: "compact-array"; readonly value: CompactArray };
export type DataType = Data["type"];

export const NULL_DATA: Data = { type: "null-data", value: null };

function readItems(source: Reader, depth: number): readonly Data[] {
  const { offset } = source;
  const count = definiteLength.read(source);
  if (count > DATA_ELEMENTS_MAX)
    throw new WireError("wire.limit", `expected at most ${DATA_ELEMENTS_MAX} elements, got ${count}`, offset);
  if (count > source.remaining)
    throw new WireError("wire.truncated", `expected ${count} elements, got ${source.remaining} octets`, offset);
  const items: Data[] = [];
  for (let index = 0; index < count; index++) items.push(readData(source, depth));
  return items;
}

function readData(source: Reader, depth: number): Data {
  const { offset } = source;
  checkDepth(depth, offset);
  const tag = source.unsigned8("a Data tag");
  switch (tag) {
    case TAG.array:
      return { type: "array", value: readItems(source, depth + 1) };
    case TAG.structure:
      return { type: "structure", value: readItems(source, depth + 1) };
    case TAG.compactArray:
      return { type: "compact-array", value: readCompactArray(source, depth + 1) };
    default:
      return readSimple(source, tag, offset);
  }
}

function writeData(target: Writer, data: Data, depth: number): void {
  checkDepth(depth, target.length);
  switch (data.type) {
    case "array":
    case "structure":
      if (data.value.length > DATA_ELEMENTS_MAX)
        throw new WireError("wire.limit", `expected at most ${DATA_ELEMENTS_MAX} elements`, target.length);
      target.unsigned8(data.type === "array" ? TAG.array : TAG.structure);
      definiteLength.write(target, data.value.length);
      for (const item of data.value) writeData(target, item, depth + 1);
      return;
    case "compact-array":
      target.unsigned8(TAG.compactArray);
      writeCompactArray(target, data.value, depth + 1);
      return;
    default:
      target.unsigned8(simpleTag(data.type) as number);
      writeSimple(target, data);
  }
}

/** A-XDR `Data`: any type, depth and counts bounded. */
export const DataCodec: Codec<Data> = {
  read: (source) => readData(source, 0),
  write: (target, data) => writeData(target, data, 0),
};
