import type { Codec } from "../wire/codec.ts";
import { definiteLength } from "../wire/definite-length.ts";
import { WireError } from "../wire/wire-error.ts";

/** A-XDR (IEC 61334-6) constructors as DLMS uses them. */

/** BOOLEAN: 0 is false, anything else true; written as 0 or 1. */
export const boolean: Codec<boolean> = {
  read: (source) => source.unsigned8("a BOOLEAN") !== 0,
  write: (target, value) => target.unsigned8(value ? 1 : 0),
};

/** OPTIONAL: a presence octet, 0 or 1, then the value if present. */
export const optional = <T>(codec: Codec<T>): Codec<T | undefined> => ({
  read: (source) => {
    const { offset } = source;
    const present = source.unsigned8("a presence flag");
    if (present > 1) throw new WireError("wire.value", `expected a presence flag 0 or 1, got ${present}`, offset);
    return present === 1 ? codec.read(source) : undefined;
  },
  write: (target, value) => {
    target.unsigned8(value === undefined ? 0 : 1);
    if (value !== undefined) codec.write(target, value);
  },
});

/** DEFAULT: 0 takes the default, 1 is followed by the value; the default is written as 0. */
export const defaulted = <T>(codec: Codec<T>, preset: T): Codec<T> => {
  const inner = optional(codec);
  return {
    read: (source) => inner.read(source) ?? preset,
    write: (target, value) => inner.write(target, value === preset ? undefined : value),
  };
};

/** SEQUENCE OF: a count, then the elements; each takes one octet at least, so the count is checked before reading. */
export const sequenceOf = <T>(codec: Codec<T>, max: number, what: string): Codec<readonly T[]> => ({
  read: (source) => {
    const { offset } = source;
    const count = definiteLength.read(source);
    if (count > max) throw new WireError("wire.limit", `expected at most ${max} ${what}, got ${count}`, offset);
    if (count > source.remaining)
      throw new WireError("wire.truncated", `expected ${count} ${what}, got ${source.remaining} octets`, offset);
    const values: T[] = [];
    for (let index = 0; index < count; index++) values.push(codec.read(source));
    return values;
  },
  write: (target, values) => {
    if (values.length > max)
      throw new WireError("wire.limit", `expected at most ${max} ${what}, got ${values.length}`, target.length);
    definiteLength.write(target, values.length);
    for (const value of values) codec.write(target, value);
  },
});
