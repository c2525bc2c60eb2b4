import { type Codec, hexOctet } from "../wire/codec.ts";
import { definiteLength } from "../wire/definite-length.ts";
import {
  float32,
  float64,
  integer8,
  integer16,
  integer32,
  integer64,
  unsigned8,
  unsigned16,
  unsigned32,
  unsigned64,
} from "../wire/integers.ts";
import { fixedOctets, octetString } from "../wire/octet-string.ts";
import type { Reader } from "../wire/reader.ts";
import { WireError } from "../wire/wire-error.ts";
import type { Writer } from "../wire/writer.ts";
import { boolean } from "./a-xdr.ts";
import type { BitString, Data, DataType } from "./data.ts";

/** How deep arrays and structures may nest; real objects need six. */
export const DATA_DEPTH_MAX = 32;
/** Octets of one string. */
export const DATA_STRING_MAX = 0x40_0000;
/** Elements of one array or structure. */
export const DATA_ELEMENTS_MAX = 0x1_0000;

const utf8 = { decoder: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }), encoder: new TextEncoder() };

/** Characters 0x00..0xFF one for one: VisibleString is ASCII, and meters put anything into it. */
const visibleString: Codec<string> = {
  read: (source) => {
    let text = "";
    for (const octet of octetString(DATA_STRING_MAX, "a visible-string").read(source))
      text += String.fromCharCode(octet);
    return text;
  },
  write: (target, text) => {
    const octets = Uint8Array.from(text, (character) => {
      const code = character.codePointAt(0) as number;
      if (code > 0xff)
        throw new WireError("wire.value", "expected characters of one octet in a visible-string", target.length);
      return code;
    });
    octetString(DATA_STRING_MAX, "a visible-string").write(target, octets);
  },
};

const utf8String: Codec<string> = {
  read: (source) => {
    const { offset } = source;
    const octets = octetString(DATA_STRING_MAX, "an utf8-string").read(source);
    try {
      return utf8.decoder.decode(octets);
    } catch {
      throw new WireError("wire.value", "expected UTF-8", offset);
    }
  },
  write: (target, text) => octetString(DATA_STRING_MAX, "an utf8-string").write(target, utf8.encoder.encode(text)),
};

const bitString: Codec<BitString> = {
  read: (source) => {
    const { offset } = source;
    const length = definiteLength.read(source);
    if (length > DATA_STRING_MAX * 8) throw new WireError("wire.limit", `expected fewer bits than ${length}`, offset);
    return { length, octets: source.take(Math.ceil(length / 8), "a bit-string") };
  },
  write: (target, { length, octets }) => {
    if (octets.length !== Math.ceil(length / 8))
      throw new WireError("wire.value", `expected ${Math.ceil(length / 8)} octets for ${length} bits`, target.length);
    definiteLength.write(target, length);
    target.octets(octets);
  },
};

const nothing: Codec<null> = { read: () => null, write: () => undefined };

interface Simple {
  readonly type: DataType;
  readonly tag: number;
  readonly codec: Codec<never>;
  /** Least number of octets, without the tag. */
  readonly least: number;
}
const simple = <T>(tag: number, type: DataType, codec: Codec<T>, least: number): Simple => ({
  type,
  tag,
  codec: codec as unknown as Codec<never>,
  least,
});

/** Every type but array, structure and compact-array. */
const SIMPLE: readonly Simple[] = [
  simple(0x00, "null-data", nothing, 0),
  simple(0x03, "boolean", boolean, 1),
  simple(0x04, "bit-string", bitString, 1),
  simple(0x05, "double-long", integer32, 4),
  simple(0x06, "double-long-unsigned", unsigned32, 4),
  simple(0x09, "octet-string", octetString(DATA_STRING_MAX), 1),
  simple(0x0a, "visible-string", visibleString, 1),
  simple(0x0c, "utf8-string", utf8String, 1),
  simple(0x0d, "bcd", integer8, 1),
  simple(0x0f, "integer", integer8, 1),
  simple(0x10, "long", integer16, 2),
  simple(0x11, "unsigned", unsigned8, 1),
  simple(0x12, "long-unsigned", unsigned16, 2),
  simple(0x14, "long64", integer64, 8),
  simple(0x15, "long64-unsigned", unsigned64, 8),
  simple(0x16, "enum", unsigned8, 1),
  simple(0x17, "float32", float32, 4),
  simple(0x18, "float64", float64, 8),
  simple(0x19, "date-time", fixedOctets(12, "a date-time"), 12),
  simple(0x1a, "date", fixedOctets(5, "a date"), 5),
  simple(0x1b, "time", fixedOctets(4, "a time"), 4),
  simple(0x1c, "delta-integer", integer8, 1),
  simple(0x1d, "delta-long", integer16, 2),
  simple(0x1e, "delta-double-long", integer32, 4),
  simple(0x1f, "delta-unsigned", unsigned8, 1),
  simple(0x20, "delta-long-unsigned", unsigned16, 2),
  simple(0x21, "delta-double-long-unsigned", unsigned32, 4),
  simple(0xff, "dont-care", nothing, 0),
];
export const TAG = { array: 0x01, structure: 0x02, compactArray: 0x13 } as const;
const byTag: readonly (Simple | undefined)[] = Array.from({ length: 256 }, (_, tag) =>
  SIMPLE.find((one) => one.tag === tag),
);
const byType: ReadonlyMap<string, Simple> = new Map(SIMPLE.map((one) => [one.type, one]));

/** Tag of a simple type. */
export const simpleTag = (type: DataType): number | undefined => byType.get(type)?.tag;
export const simpleType = (tag: number): DataType | undefined => byTag[tag]?.type;

/** Content of a simple type, after its tag. */
export function readSimple(source: Reader, tag: number, offset: number): Data {
  const found = byTag[tag];
  if (found === undefined)
    throw new WireError("wire.tag", `expected a Data tag, got ${hexOctet(tag)}`, offset, { tag });
  return { type: found.type, value: found.codec.read(source) } as Data;
}
export function writeSimple(target: Writer, data: Data): void {
  const found = byType.get(data.type);
  if (found === undefined) throw new WireError("wire.value", `expected a simple type, got ${data.type}`, target.length);
  found.codec.write(target, data.value as never);
}

export function checkDepth(depth: number, offset: number): void {
  if (depth > DATA_DEPTH_MAX)
    throw new WireError("wire.limit", `expected at most ${DATA_DEPTH_MAX} nested arrays and structures`, offset);
}
