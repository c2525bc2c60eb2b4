import { type Codec, encode, hexOctet } from "../wire/codec.ts";
import { definiteLength } from "../wire/definite-length.ts";
import type { Reader } from "../wire/reader.ts";
import { WireError } from "../wire/wire-error.ts";
import type { Writer } from "../wire/writer.ts";
import type { Data } from "./data.ts";
import { checkDepth, DATA_STRING_MAX, readSimple, simpleTag, simpleType, TAG, writeSimple } from "./simple-data.ts";

/** Values in one compact-array, members of structures included: they may take no octets at all, so they are counted. */
export const COMPACT_VALUES_MAX = 0x4_0000;

/** What every element of a compact-array is: a simple type, an array of a fixed count, or a structure. */
export type TypeDescription =
  | { readonly type: Exclude<Data["type"], "array" | "structure" | "compact-array"> }
  | { readonly type: "array"; readonly count: number; readonly of: TypeDescription }
  | { readonly type: "structure"; readonly of: readonly TypeDescription[] };

export interface CompactArray {
  readonly description: TypeDescription;
  readonly elements: readonly Data[];
}

function readDescription(source: Reader, depth: number): TypeDescription {
  const { offset } = source;
  checkDepth(depth, offset);
  const tag = source.unsigned8("a type description");
  if (tag === TAG.array)
    return { type: "array", count: source.unsigned16("a count"), of: readDescription(source, depth + 1) };
  if (tag === TAG.structure) {
    const count = definiteLength.read(source);
    if (count > source.remaining)
      throw new WireError(
        "wire.truncated",
        `expected ${count} type descriptions, got ${source.remaining} octets`,
        offset,
      );
    const of: TypeDescription[] = [];
    for (let index = 0; index < count; index++) of.push(readDescription(source, depth + 1));
    return { type: "structure", of };
  }
  const type = simpleType(tag);
  if (type === undefined || type === "array" || type === "structure" || type === "compact-array")
    throw new WireError("wire.tag", `expected a type description, got ${hexOctet(tag)}`, offset, { tag });
  return { type };
}

function writeDescription(target: Writer, description: TypeDescription): void {
  switch (description.type) {
    case "array":
      target.unsigned8(TAG.array);
      target.unsigned16(description.count);
      writeDescription(target, description.of);
      return;
    case "structure":
      target.unsigned8(TAG.structure);
      definiteLength.write(target, description.of.length);
      for (const member of description.of) writeDescription(target, member);
      return;
    default:
      target.unsigned8(simpleTag(description.type) as number);
  }
}

/** TypeDescription as compact-array and the template_description of Compact data (class 62) carry it. */
export const TypeDescriptionCodec: Codec<TypeDescription> = {
  read: (source) => readDescription(source, 0),
  write: writeDescription,
};

/** One value of a described type, without tags. Values are counted over the codec's life: they may take no octets. */
export function packed(description: TypeDescription): Codec<Data> {
  let values = 0;
  const readValue = (source: Reader, of: TypeDescription): Data => {
    if (++values > COMPACT_VALUES_MAX)
      throw new WireError("wire.limit", `expected at most ${COMPACT_VALUES_MAX} packed values`, source.offset);
    if (of.type === "array") {
      const items: Data[] = [];
      for (let index = 0; index < of.count; index++) items.push(readValue(source, of.of));
      return { type: "array", value: items };
    }
    if (of.type === "structure") return { type: "structure", value: of.of.map((member) => readValue(source, member)) };
    return readSimple(source, simpleTag(of.type) as number, source.offset);
  };
  return {
    read: (source) => readValue(source, description),
    write: (target, data) => writeValue(target, description, data),
  };
}

/** After the tag: type description, then length and contents; the contents are read to their end. */
export function readCompactArray(source: Reader, depth: number): CompactArray {
  const description = readDescription(source, depth);
  const { offset } = source;
  const length = definiteLength.read(source);
  if (length > DATA_STRING_MAX)
    throw new WireError("wire.limit", `expected at most ${DATA_STRING_MAX} octets of contents, got ${length}`, offset);
  const contents = source.inner(length, "the contents of a compact-array");
  const element = packed(description);
  const elements: Data[] = [];
  while (contents.remaining > 0) elements.push(element.read(contents));
  return { description, elements };
}

const contentsCodec = (description: TypeDescription) => ({
  read: () => [],
  write: (target: Writer, elements: readonly Data[]) => {
    for (const element of elements) writeValue(target, description, element);
  },
});

function writeValue(target: Writer, of: TypeDescription, data: Data): void {
  const refuse = () => new WireError("wire.value", `expected ${of.type} as described, got ${data.type}`, target.length);
  if (data.type !== of.type) throw refuse();
  if (of.type === "array" || of.type === "structure") {
    const items = data.value as readonly Data[];
    if (items.length !== (of.type === "array" ? of.count : of.of.length)) throw refuse();
    items.forEach((item, index) => {
      writeValue(target, of.type === "array" ? of.of : (of.of[index] as TypeDescription), item);
    });
    return;
  }
  writeSimple(target, data);
}

export function writeCompactArray(target: Writer, { description, elements }: CompactArray, depth: number): void {
  checkDepth(depth, target.length);
  writeDescription(target, description);
  const contents = encode(contentsCodec(description), elements);
  definiteLength.write(target, contents.length);
  target.octets(contents);
}
