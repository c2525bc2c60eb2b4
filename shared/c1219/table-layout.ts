import { type Codec, decode, encode } from "../wire/codec.ts";
import type { Reader } from "../wire/reader.ts";
import { WireError } from "../wire/wire-error.ts";
import type { Writer } from "../wire/writer.ts";
import { dataType, type SimpleValue } from "./data-type.ts";
import type { Bits, Field, FieldType } from "./description.ts";
import { descriptionError, type Expression, evaluate } from "./expression.ts";
import type { GenConfig } from "./gen-config.ts";

/** Fields of a table by name; those whose condition is false are undefined. */
export interface TableRecord {
  readonly [field: string]: TableValue | undefined;
}
export type TableValue = SimpleValue | boolean | TableRecord | readonly TableValue[];

/** What a layout depends on: the form of everything, and the tables that hold sizes and flags. */
export interface TableContext {
  readonly config: GenConfig;
  /** Looked up by field name, first to last. */
  readonly tables: readonly TableRecord[];
}

/** Elements of one array that we take. */
const ELEMENTS_MAX = 0x1_0000;

export const isRecord = (value: TableValue | undefined): value is TableRecord =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Uint8Array) &&
  !("mantissa" in value);

/** A field of a record, of its bit fields, or by a dotted path of records within it. */
function within(record: TableRecord, name: string): TableValue | undefined {
  if (name in record) return record[name];
  const [first = "", ...rest] = name.split(".");
  const inner = record[first];
  if (rest.length > 0) return isRecord(inner) ? within(inner, rest.join(".")) : undefined;
  for (const value of Object.values(record)) if (isRecord(value) && name in value) return value[name];
  return undefined;
}

const knows = (record: TableRecord, name: string): boolean =>
  within(record, name) !== undefined ||
  name in record ||
  Object.values(record).some((value) => isRecord(value) && name in value) ||
  (name.includes(".") && (name.split(".")[0] ?? "") in record);

/** A value that is made of an object once, and kept for as long as the object lives. */
function madeOnce<K extends object, V>(make: (key: K) => V): (key: K) => V {
  const made = new WeakMap<K, V>();
  return (key) => {
    const known = made.get(key);
    if (known !== undefined) return known;
    const value = make(key);
    made.set(key, value);
    return value;
  };
}

/** Names under which something of these fields may be found: theirs, and those one level within. */
const namesOf = madeOnce((fields: readonly Field[]): ReadonlySet<string> => {
  const inside = ({ type }: Field): readonly string[] =>
    type.kind === "simple" ? [] : (type.kind === "bits" ? type.bits : type.fields).map(({ name }) => name);
  return new Set(fields.flatMap((field) => [field.name, ...inside(field)]));
});

interface Found {
  readonly value: TableValue | undefined;
}

/** What the tables of a context say under a name; undefined: none of them has it. */
const lookUpIn = madeOnce((tables: readonly TableRecord[]) => {
  const looked = new Map<string, Found | undefined>();
  return (name: string): Found | undefined => {
    if (!looked.has(name)) {
      const table = tables.find((one) => knows(one, name));
      looked.set(name, table && { value: within(table, name) });
    }
    return looked.get(name);
  };
});

/** A record that is read or written, with the names that may be found in it. */
interface UnderWay {
  readonly record: TableRecord;
  readonly names: ReadonlySet<string>;
}

export class Scope {
  readonly config: GenConfig;
  readonly #tables: readonly TableRecord[];
  /** The innermost first. */
  readonly #underWay: readonly UnderWay[];

  constructor(config: GenConfig, tables: readonly TableRecord[], underWay: readonly UnderWay[] = []) {
    this.config = config;
    this.#tables = tables;
    this.#underWay = underWay;
  }
  inside(fields: readonly Field[], record: TableRecord): Scope {
    return new Scope(this.config, this.#tables, [{ record, names: namesOf(fields) }, ...this.#underWay]);
  }
  #find(name: string): Found | undefined {
    const dot = name.indexOf(".");
    const first = dot < 0 ? name : name.slice(0, dot);
    const own = this.#underWay.find(({ record, names }) => names.has(first) && knows(record, name));
    return own === undefined ? lookUpIn(this.#tables)(name) : { value: within(own.record, name) };
  }
  number(expression: Expression): number {
    return evaluate(expression, (name) => {
      const found = this.#find(name);
      if (found === undefined)
        throw descriptionError(`expected a field ${name} in the table or those that it depends on`);
      const { value } = found;
      if (value === undefined) return 0; // a field that is not there
      if (typeof value === "boolean") return value ? 1 : 0;
      if (typeof value === "number" || typeof value === "bigint") return Number(value);
      throw descriptionError(`expected ${name} to be a number`);
    });
  }
  count(expression: Expression, offset: number): number {
    const count = this.number(expression);
    if (count < 0 || count > ELEMENTS_MAX)
      throw new WireError("wire.limit", `expected at most ${ELEMENTS_MAX} elements, got ${count}`, offset);
    return count;
  }
}

export const absent = (field: Field, scope: Scope): boolean =>
  field.when !== undefined && scope.number(field.when) === 0;

function readFields(source: Reader, fields: readonly Field[], outer: Scope): TableRecord {
  const record: Record<string, TableValue | undefined> = {};
  const scope = outer.inside(fields, record);
  for (const field of fields) {
    record[field.name] = undefined;
    if (absent(field, scope)) continue;
    if (field.count === undefined) record[field.name] = readValue(source, field.type, scope);
    else {
      const count = scope.count(field.count, source.offset);
      record[field.name] = Array.from({ length: count }, () => readValue(source, field.type, scope));
    }
  }
  return record;
}

export function readValue(source: Reader, type: FieldType, scope: Scope): TableValue {
  if (type.kind === "record") return readFields(source, type.fields, scope);
  if (type.kind === "bits") return bitsOf(Number(dataType(type.over).read(source, 0, scope.config)), type.bits);
  const length = type.length === undefined ? 0 : scope.count(type.length, source.offset);
  return dataType(type.name).read(source, length, scope.config);
}

function bitsOf(value: number, bits: readonly Bits[]): TableRecord {
  return Object.fromEntries(
    bits.map(({ name, first, last }) => {
      const part = Math.floor(value / 2 ** first) % 2 ** (last - first + 1);
      return [name, first === last ? part === 1 : part];
    }),
  );
}

function writeFields(target: Writer, fields: readonly Field[], record: TableRecord, outer: Scope): void {
  const scope = outer.inside(fields, record);
  for (const field of fields) {
    if (absent(field, scope)) continue;
    const value = record[field.name];
    if (value === undefined)
      throw new WireError("wire.value", `expected a value of ${field.name}, got none`, target.length);
    if (field.count === undefined) writeValue(target, field.type, value, scope);
    else {
      const values = value as readonly TableValue[];
      const count = scope.count(field.count, target.length);
      if (!Array.isArray(value) || values.length !== count)
        throw new WireError("wire.value", `expected ${count} elements of ${field.name}`, target.length);
      for (const one of values) writeValue(target, field.type, one, scope);
    }
  }
}

function writeValue(target: Writer, type: FieldType, value: TableValue, scope: Scope): void {
  if (type.kind === "simple") {
    const length = type.length === undefined ? 0 : scope.count(type.length, target.length);
    dataType(type.name).write(target, length, value as never, scope.config);
    return;
  }
  if (!isRecord(value)) throw new WireError("wire.value", "expected a record", target.length);
  if (type.kind === "record") writeFields(target, type.fields, value, scope);
  else dataType(type.over).write(target, 0, octetsOfBits(target, type.bits, value) as never, scope.config);
}

function octetsOfBits(target: Writer, bits: readonly Bits[], value: TableRecord): number {
  let octets = 0;
  for (const { name, first, last } of bits) {
    const part = Number(value[name] ?? 0);
    if (!Number.isInteger(part) || part < 0 || part >= 2 ** (last - first + 1))
      throw new WireError("wire.value", `expected ${name} in ${last - first + 1} bits, got ${part}`, target.length);
    octets += part * 2 ** first;
  }
  return octets;
}

/** Octets of fields whose sizes depend on the context alone. */
function sizeOf(fields: readonly Field[], scope: Scope): number {
  const inner = scope.inside(fields, {});
  let octets = 0;
  for (const { type, count, when } of fields) {
    if (when !== undefined && inner.number(when) === 0) continue;
    const one =
      type.kind === "record"
        ? sizeOf(type.fields, inner)
        : type.kind === "bits"
          ? dataType(type.over).octets(0, scope.config)
          : dataType(type.name).octets(type.length === undefined ? 0 : inner.number(type.length), scope.config);
    octets += one * (count === undefined ? 1 : inner.count(count, 0));
  }
  return octets;
}

export const scopeOf = ({ config, tables }: TableContext): Scope => new Scope(config, tables);

/** Both directions of a layout under a context. */
export const layoutCodec = (fields: readonly Field[], context: TableContext): Codec<TableRecord> => ({
  read: (source) => readFields(source, fields, scopeOf(context)),
  write: (target, record) => writeFields(target, fields, record, scopeOf(context)),
});

/** Throws `WireError`, and `c1219.…` where the meter uses a form that is not interpreted. */
export const readTable = (fields: readonly Field[], context: TableContext, octets: Uint8Array): TableRecord =>
  decode(layoutCodec(fields, context), octets);
export const writeTable = (fields: readonly Field[], context: TableContext, record: TableRecord): Uint8Array =>
  encode(layoutCodec(fields, context), record);
/** Octets of a layout, or of one element of its array `element`. */
export function layoutOctets(fields: readonly Field[], context: TableContext, element?: string): number {
  if (element === undefined) return sizeOf(fields, scopeOf(context));
  const field = fields.find(({ name }) => name === element);
  if (field === undefined) throw descriptionError(`expected a field ${element}`);
  return sizeOf([{ ...field, count: undefined }], scopeOf(context));
}

/** Reads one element of the array `element` alone. */
export function readElement(
  fields: readonly Field[],
  context: TableContext,
  element: string,
  octets: Uint8Array,
): TableValue | undefined {
  const field = fields.find(({ name }) => name === element);
  if (field === undefined) throw descriptionError(`expected a field ${element}`);
  return readTable([{ ...field, count: undefined }], context, octets)[element];
}
/** The octets of one element of an array. */
export function writeElement(
  fields: readonly Field[],
  context: TableContext,
  element: string,
  value: TableValue,
): Uint8Array {
  const field = fields.find(({ name }) => name === element);
  if (field === undefined) throw descriptionError(`expected a field ${element}`);
  return writeTable([{ ...field, count: undefined }], context, { [element]: value });
}

/** A value by its path, `TOT_DATA_BLOCK.SUMMATIONS[0]`; undefined: the table has none there. */
export function valueAt(record: TableRecord, path: string): TableValue | undefined {
  let value: TableValue | undefined = record;
  for (const step of path.split(".")) {
    const [, name = "", index] = /^([A-Z][A-Z0-9_]*)(?:\[(\d+)\])?$/.exec(step) ?? [];
    if (!isRecord(value)) return undefined;
    value = value[name];
    if (index !== undefined) value = Array.isArray(value) ? (value as readonly TableValue[])[Number(index)] : undefined;
  }
  return value;
}
