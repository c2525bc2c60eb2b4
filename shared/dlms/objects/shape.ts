import type { BitString, Data, DataType } from "../data.ts";
import {
  type CosemDate,
  type CosemTime,
  type DateTime,
  dateData,
  dateIn,
  dateTimeData,
  dateTimeIn,
  timeData,
  timeIn,
} from "../date-time.ts";
import { type LogicalName, obisOctets, obisOf } from "../logical-name.ts";

/** Names of an enum's values. */
export type Enumeration = Readonly<Record<string, number>>;

/** What a shape holds, as data: what tests, tools and documents walk. */
export type Form =
  | { readonly kind: "simple"; readonly type: DataType; readonly names?: Enumeration }
  /** `length` undefined: any. */
  | { readonly kind: "octets"; readonly length: number | undefined }
  | { readonly kind: "date-time" | "date" | "time" | "any" }
  | { readonly kind: "optional" | "array"; readonly of: Form }
  | { readonly kind: "structure"; readonly members: Readonly<Record<string, Form>> };

/** What the `Data` of an attribute holds, both ways. */
export interface Shape<T> {
  readonly form: Form;
  /** Undefined: the data are not of this shape. */
  readonly read: (data: Data) => T | undefined;
  readonly write: (value: T) => Data;
}
export type ShapeValue<S> = S extends Shape<infer T> ? T : never;

// Members of `Data` share one value type under several names, so `Extract` would find none of them.
type ValueIn<D, K> = D extends { readonly type: infer T; readonly value: infer V } ? (K extends T ? V : never) : never;
type ValueOf<K extends DataType> = ValueIn<Data, K>;
const exactly = <K extends DataType>(type: K, names?: Enumeration): Shape<ValueOf<K>> => ({
  form: names === undefined ? { kind: "simple", type } : { kind: "simple", type, names },
  read: (data) => (data.type === type ? (data.value as ValueOf<K>) : undefined),
  write: (value) => ({ type, value }) as Data,
});

export const unsigned = exactly("unsigned");
export const longUnsigned = exactly("long-unsigned");
export const doubleLongUnsigned = exactly("double-long-unsigned");
export const long64Unsigned = exactly("long64-unsigned");
export const integer = exactly("integer");
export const long = exactly("long");
export const doubleLong = exactly("double-long");
export const long64 = exactly("long64");
export const enumerated = exactly("enum");
/** An enum whose values have names. Others are read too: meters of a later edition send them. */
export const enumeration = (names: Enumeration): Shape<number> => exactly("enum", names);
export const boolean = exactly("boolean");
export const bitString: Shape<BitString> = exactly("bit-string");
export const visibleString = exactly("visible-string");
export const utf8String = exactly("utf8-string");

/** Any `Data`, as it is: where the class leaves a CHOICE to the instance. */
export const any: Shape<Data> = { form: { kind: "any" }, read: (data) => data, write: (value) => value };

function octetsIn(data: Data): Uint8Array | undefined {
  if (data.type === "octet-string") return data.value;
  return data.type === "visible-string"
    ? Uint8Array.from(data.value, (character) => character.charCodeAt(0))
    : undefined;
}

/** An octet-string; a visible-string in its place is accepted, as some meters send names so. */
export const octets: Shape<Uint8Array> = {
  form: { kind: "octets", length: undefined },
  read: octetsIn,
  write: (value) => ({ type: "octet-string", value }),
};

/** An octet-string of a fixed length. */
export const octetsOf = (length: number): Shape<Uint8Array> => ({
  form: { kind: "octets", length },
  read: (data) => {
    const value = octetsIn(data);
    return value?.length === length ? value : undefined;
  },
  write: (value) => {
    if (value.length !== length) throw new RangeError(`expected ${length} octets, got ${value.length}`);
    return { type: "octet-string", value };
  },
});

/** An octet-string of 6 as an OBIS code. */
export const obis: Shape<LogicalName> = {
  form: { kind: "octets", length: 6 },
  read: (data) => (data.type === "octet-string" && data.value.length === 6 ? obisOf(data.value) : undefined),
  write: (name) => {
    const value = obisOctets(name);
    if (value === undefined) throw new RangeError(`expected an OBIS code, got ${JSON.stringify(name)}`);
    return { type: "octet-string", value };
  },
};

export const dateTime: Shape<DateTime> = { form: { kind: "date-time" }, read: dateTimeIn, write: dateTimeData };
export const date: Shape<CosemDate> = { form: { kind: "date" }, read: dateIn, write: dateData };
export const time: Shape<CosemTime> = { form: { kind: "time" }, read: timeIn, write: timeData };

/** Null-data, or what `shape` holds. */
export const optional = <T>(shape: Shape<T>): Shape<T | null> => ({
  form: { kind: "optional", of: shape.form },
  read: (data) => (data.type === "null-data" ? null : shape.read(data)),
  write: (value) => (value === null ? { type: "null-data", value: null } : shape.write(value)),
});

export const arrayOf = <T>(shape: Shape<T>): Shape<readonly T[]> => ({
  form: { kind: "array", of: shape.form },
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

export type Members = Readonly<
  Record<
    string,
    { readonly form: Form; readonly read: (data: Data) => unknown; readonly write: (value: never) => Data }
  >
>;
export const structure = <M extends Members>(members: M): Shape<{ readonly [K in keyof M]: ShapeValue<M[K]> }> => {
  const entries = Object.entries(members);
  return {
    form: {
      kind: "structure",
      members: Object.fromEntries(entries.map(([name, { form }]) => [name, form])),
    },
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
