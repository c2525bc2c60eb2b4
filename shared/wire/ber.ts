import { type Codec, encode, hexOctet } from "./codec.ts";
import { berLength } from "./definite-length.ts";
import type { Reader } from "./reader.ts";
import { WireError } from "./wire-error.ts";
import type { Writer } from "./writer.ts";

/** One BER element with a one-octet tag; `content` reads its content alone. */
export interface BerElement {
  readonly tag: number;
  readonly offset: number;
  readonly content: Reader;
}

/** Reads tag, definite length and content. Tags of several octets and indefinite lengths are refused. */
export function readElement(source: Reader): BerElement {
  const { offset } = source;
  const tag = source.unsigned8("a BER tag");
  if ((tag & 0x1f) === 0x1f)
    throw new WireError("wire.tag", `expected a tag of one octet, got ${hexOctet(tag)}`, offset, { tag });
  const length = berLength.read(source);
  return { tag, offset, content: source.inner(length, `the element ${hexOctet(tag)}`) };
}

/** Writes tag, length and content. */
export function writeElement(target: Writer, tag: number, content: Uint8Array): void {
  target.unsigned8(tag);
  berLength.write(target, content.length);
  target.octets(content);
}

/** An element of exactly this tag whose content is one value. */
export const element = <T>(tag: number, codec: Codec<T>): Codec<T> => ({
  read: (source) => {
    const found = readElement(source);
    if (found.tag !== tag)
      throw new WireError(
        "wire.tag",
        `expected the element ${hexOctet(tag)}, got ${hexOctet(found.tag)}`,
        found.offset,
        {
          tag: found.tag,
        },
      );
    const value = codec.read(found.content);
    found.content.finish(`element ${hexOctet(tag)}`);
    return value;
  },
  write: (target, value) => writeElement(target, tag, encode(codec, value)),
});

/** All octets that are left, as content of an element. */
export const restOctets: Codec<Uint8Array> = {
  read: (source) => source.rest(),
  write: (target, octets) => target.octets(octets),
};

/** INTEGER content of 1 to 4 octets, two's complement. */
export const berInteger: Codec<number> = {
  read: (source) => {
    const { offset, remaining } = source;
    if (remaining < 1 || remaining > 4)
      throw new WireError("wire.value", `expected an INTEGER of 1 to 4 octets, got ${remaining}`, offset);
    let value = source.integer8("an INTEGER");
    while (source.remaining > 0) value = value * 0x100 + source.unsigned8();
    return value;
  },
  write: (target, value) => {
    let count = 1;
    while (count < 4 && (value < -(2 ** (8 * count - 1)) || value >= 2 ** (8 * count - 1))) count++;
    for (let shift = count - 1; shift >= 0; shift--) target.unsigned8(Math.floor(value / 2 ** (8 * shift)) & 0xff);
  },
};

interface Field<T, Required extends boolean> {
  readonly tag: number;
  readonly codec: Codec<T>;
  readonly required: Required;
}
type SomeField = {
  readonly tag: number;
  readonly codec: {
    readonly read: (source: Reader) => unknown;
    readonly write: (target: Writer, value: never) => void;
  };
  readonly required: boolean;
};
export const required = <T>(tag: number, codec: Codec<T>): Field<T, true> => ({ tag, codec, required: true });
export const absentable = <T>(tag: number, codec: Codec<T>): Field<T, false> => ({ tag, codec, required: false });

export type BerSequenceOf<F extends Readonly<Record<string, SomeField>>> = {
  readonly [K in keyof F]: F[K] extends Field<infer T, infer R> ? (R extends true ? T : T | undefined) : never;
};

/**
 * Elements told apart by their tags, up to the end of the content. Written in the order listed, read in any; unknown
 * tags are skipped, a repeated one is refused.
 */
export function berSequence<F extends Readonly<Record<string, SomeField>>>(
  what: string,
  fields: F,
): Codec<BerSequenceOf<F>> {
  const byTag = new Map(Object.entries(fields).map(([name, field]) => [field.tag, { name, field }]));
  return {
    read: (source) => {
      const value: Record<string, unknown> = {};
      for (const name of Object.keys(fields)) value[name] = undefined;
      while (source.remaining > 0) {
        const found = readElement(source);
        const known = byTag.get(found.tag);
        if (known === undefined) continue;
        if (value[known.name] !== undefined)
          throw new WireError("wire.value", `expected one ${known.name} of ${what}, got another`, found.offset);
        value[known.name] = known.field.codec.read(found.content);
        found.content.finish(known.name);
      }
      for (const [name, field] of Object.entries(fields))
        if (field.required && value[name] === undefined)
          throw new WireError("wire.truncated", `expected ${name} (${hexOctet(field.tag)}) of ${what}`, source.offset);
      return value as BerSequenceOf<F>;
    },
    write: (target, value) => {
      for (const [name, { tag, codec }] of Object.entries(fields))
        if (value[name] !== undefined) writeElement(target, tag, encode(codec as Codec<unknown>, value[name]));
    },
  };
}
