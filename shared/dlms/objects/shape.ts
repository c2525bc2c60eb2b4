import type { Data, DataType } from "../data.ts";
import { type DateTime, dateTimeData, dateTimeIn } from "../date-time.ts";
import { type LogicalName, obisOctets, obisOf } from "../logical-name.ts";

/** What the `Data` of an attribute holds, both ways. */
export interface Shape<T> {
  /** Undefined: the data are not of this shape. */
  readonly read: (data: Data) => T | undefined;
  readonly write: (value: T) => Data;
}
export type ShapeValue<S> = S extends Shape<infer T> ? T : never;

// Members of `Data` share one value type under several names, so `Extract` would find none of them.
type ValueIn<D, K> = D extends { readonly type: infer T; readonly value: infer V } ? (K extends T ? V : never) : never;
type ValueOf<K extends DataType> = ValueIn<Data, K>;
const exactly = <K extends DataType>(type: K): Shape<ValueOf<K>> => ({
  read: (data) => (data.type === type ? (data.value as ValueOf<K>) : undefined),
  write: (value) => ({ type, value }) as Data,
});

export const unsigned = exactly("unsigned");
export const longUnsigned = exactly("long-unsigned");
export const doubleLongUnsigned = exactly("double-long-unsigned");
export const integer = exactly("integer");
export const long = exactly("long");
export const enumerated = exactly("enum");
export const boolean = exactly("boolean");

/** Any `Data`, as it is. */
export const any: Shape<Data> = { read: (data) => data, write: (value) => value };

/** An octet-string; a visible-string in its place is accepted, as some meters send names so. */
export const octets: Shape<Uint8Array> = {
  read: (data) => {
    if (data.type === "octet-string") return data.value;
    return data.type === "visible-string"
      ? Uint8Array.from(data.value, (character) => character.charCodeAt(0))
      : undefined;
  },
  write: (value) => ({ type: "octet-string", value }),
};

/** An octet-string of 6 as an OBIS code. */
export const obis: Shape<LogicalName> = {
  read: (data) => (data.type === "octet-string" && data.value.length === 6 ? obisOf(data.value) : undefined),
  write: (name) => {
    const value = obisOctets(name);
    if (value === undefined) throw new RangeError(`expected an OBIS code, got ${JSON.stringify(name)}`);
    return { type: "octet-string", value };
  },
};

export const dateTime: Shape<DateTime> = { read: dateTimeIn, write: dateTimeData };

export const arrayOf = <T>(shape: Shape<T>): Shape<readonly T[]> => ({
  read: (data) => {
    const items = data.type === "array" ? data.value : data.type === "compact-array" ? data.value.elements : undefined;
    if (items === undefined) return undefined;
    const values: T[] = [];
    for (const item of items) {
      const value = shape.read(item);
      if (value === undefined) return undefined;
      values.push(value);
    }
    return values;
  },
  write: (values) => ({ type: "array", value: values.map(shape.write) }),
});

type Members = Readonly<
  Record<string, { readonly read: (data: Data) => unknown; readonly write: (value: never) => Data }>
>;
export const structure = <M extends Members>(members: M): Shape<{ readonly [K in keyof M]: ShapeValue<M[K]> }> => {
  const entries = Object.entries(members);
  return {
    read: (data) => {
      if (data.type !== "structure" || data.value.length !== entries.length) return undefined;
      const value: Record<string, unknown> = {};
      for (const [index, [name, shape]] of entries.entries()) {
        const member = shape.read(data.value[index] as Data);
        if (member === undefined) return undefined;
        value[name] = member;
      }
      return value as never;
    },
    write: (value) => ({
      type: "structure",
      value: entries.map(([name, shape]) => shape.write(value[name] as never)),
    }),
  };
};
