import { Reader } from "./reader.ts";
import { WireError } from "./wire-error.ts";
import { Writer } from "./writer.ts";

/**
 * One description of octets that gives both directions. `read` is total: a value or `WireError`. `write` throws
 * `wire.value` (offset: where it would have stood) for a value that the octets cannot carry.
 */
export interface Codec<T> {
  readonly read: (source: Reader) => T;
  readonly write: (target: Writer, value: T) => void;
  /** Of a sequence: reads the components into a value that has others already. */
  readonly readInto?: (source: Reader, value: Record<string, unknown>) => void;
}
export type TypeOf<C> = C extends Codec<infer T> ? T : never;
type SomeCodec = {
  readonly read: (source: Reader) => unknown;
  readonly write: (target: Writer, value: never) => void;
  readonly readInto?: (source: Reader, value: Record<string, unknown>) => void;
};
type Fields = Readonly<Record<string, SomeCodec>>; // `never` in the write position constrains like `any`, without its holes

/** Reads one value and refuses left-over octets. `base`: offset of the first octet in the frame, for messages. */
export function decode<T>(codec: Codec<T>, octets: Uint8Array, base = 0): T {
  const source = new Reader(octets, base);
  const value = codec.read(source);
  source.finish();
  return value;
}

/** Writers that nobody uses: as many as codecs encode within one another. */
const idle: Writer[] = [];
const IDLE_MAX = 8;

export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  const target = idle.pop() ?? new Writer();
  try {
    codec.write(target, value);
    return target.taken();
  } finally {
    target.clear();
    if (idle.length < IDLE_MAX) idle.push(target);
  }
}

export type SequenceOf<F extends Fields> = { readonly [K in keyof F]: TypeOf<F[K]> };

/** Components in the order they are listed. */
export function sequence<F extends Fields>(fields: F): Codec<SequenceOf<F>> {
  const names = Object.keys(fields);
  const codecs = Object.values(fields);
  const count = names.length;
  const readInto = (source: Reader, value: Record<string, unknown>): void => {
    for (let at = 0; at < count; at++) value[names[at] as string] = (codecs[at] as SomeCodec).read(source);
  };
  return {
    readInto,
    read: (source) => {
      const value: Record<string, unknown> = {};
      readInto(source, value);
      return value as SequenceOf<F>;
    },
    write: (target, value) => {
      for (let at = 0; at < count; at++) (codecs[at] as SomeCodec).write(target, value[names[at] as string] as never);
    },
  };
}

export interface Alternative<C extends SomeCodec> {
  readonly tag: number;
  readonly codec: C;
}
/** An alternative of a `choice`: its tag octet and what follows it. */
export const tagged = <C extends SomeCodec>(tag: number, codec: C): Alternative<C> => ({ tag, codec });

type Alternatives = Readonly<Record<string, Alternative<SomeCodec>>>;
export type ChoiceOf<A extends Alternatives> = {
  readonly [K in keyof A & string]: { readonly kind: K } & TypeOf<A[K]["codec"]>;
}[keyof A & string];

/** A tag octet, then the alternative it names; in the value `kind` is the name, beside the alternative's components. */
export function choice<A extends Alternatives>(what: string, alternatives: A): Codec<ChoiceOf<A>> {
  const byTag = new Map(Object.entries(alternatives).map(([kind, { tag, codec }]) => [tag, { kind, codec }]));
  const itsTag = `the choice of ${what}`;
  return {
    read: (source) => {
      const { offset } = source;
      const tag = source.unsigned8(itsTag);
      const found = byTag.get(tag);
      if (found === undefined) throw unknownTag(what, tag, [...byTag.keys()], offset);
      const { kind, codec } = found;
      const value: Record<string, unknown> = { kind };
      if (codec.readInto === undefined) Object.assign(value, codec.read(source));
      else codec.readInto(source, value);
      return value as ChoiceOf<A>;
    },
    write: (target, value) => {
      const { tag, codec } = alternatives[value.kind] as Alternative<SomeCodec>;
      target.unsigned8(tag);
      codec.write(target, value as never);
    },
  };
}

export const hexOctet = (octet: number): string => `0x${octet.toString(16).padStart(2, "0")}`;

export const unknownTag = (what: string, tag: number, known: readonly number[], offset: number): WireError =>
  new WireError("wire.tag", `expected ${what} (${known.map(hexOctet).join(", ")}), got ${hexOctet(tag)}`, offset, {
    tag,
  });

/** A fixed octet, then the rest: an APDU tag. */
export const prefixed = <T>(what: string, tag: number, codec: Codec<T>): Codec<T> => {
  const itsTag = `the tag of ${what}`;
  return {
    read: (source) => {
      const { offset } = source;
      const found = source.unsigned8(itsTag);
      if (found !== tag) throw unknownTag(what, found, [tag], offset);
      return codec.read(source);
    },
    write: (target, value) => {
      target.unsigned8(tag);
      codec.write(target, value);
    },
  };
};

/** A codec of U over a codec of T. `from` may throw `WireError` by calling `refuse`. */
export const mapped = <T, U>(
  codec: Codec<T>,
  from: (value: T, refuse: (message: string) => never) => U,
  to: (value: U) => T,
): Codec<U> => ({
  read: (source) => {
    const { offset } = source;
    return from(codec.read(source), (message) => {
      throw new WireError("wire.value", message, offset);
    });
  },
  write: (target, value) => codec.write(target, to(value)),
});

/** Delays the making of a codec until it is used: for descriptions that contain themselves. */
export function lazily<T>(make: () => Codec<T>): Codec<T> {
  let made: Codec<T> | undefined;
  const codec = () => {
    made ??= make();
    return made;
  };
  return { read: (source) => codec().read(source), write: (target, value) => codec().write(target, value) };
}
