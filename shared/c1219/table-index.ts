import { Reader } from "../wire/reader.ts";
import type { Field } from "./description.ts";
import { absent, readValue, type Scope, scopeOf, type TableContext, type TableRecord } from "./table-layout.ts";

/** Octets of a table. */
export interface TableRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * The octets that an index names in a table: element numbers outermost first, then so many elements from there (0: to
 * the end of what holds them). Elements of a record count from 0 in the order of the layout, whether they are there or
 * not; a bit field is one element. Undefined: the table has no such element. Throws `WireError` where the octets are
 * not of the layout.
 */
export function rangeOfIndex(
  fields: readonly Field[],
  context: TableContext,
  octets: Uint8Array,
  index: readonly number[],
  count: number,
): TableRange | undefined {
  const source = new Reader(octets);
  const offset = seek(source, fields, scopeOf(context), index, count);
  return offset === undefined ? undefined : { offset, length: source.offset - offset };
}

/** Moves to the end of what is asked for; answers where it begins. */
function seek(
  source: Reader,
  fields: readonly Field[],
  outer: Scope,
  [first = 0, ...rest]: readonly number[],
  count: number,
): number | undefined {
  const record: Record<string, TableRecord[string]> = {};
  const scope = outer.inside(fields, record);
  const pass = (field: Field): void => {
    record[field.name] = undefined;
    if (absent(field, scope)) return;
    const times = field.count === undefined ? 1 : scope.count(field.count, source.offset);
    const values = Array.from({ length: times }, () => readValue(source, field.type, scope));
    record[field.name] = field.count === undefined ? values[0] : values;
  };
  for (const field of fields.slice(0, first)) pass(field);
  const field = fields[first];
  if (field === undefined) return undefined;
  const begin = source.offset;
  if (rest.length === 0) {
    const last = count === 0 ? fields.length : first + count;
    if (last > fields.length) return undefined;
    for (const wanted of fields.slice(first, last)) pass(wanted);
    return begin;
  }
  if (absent(field, scope)) return undefined;
  if (field.count === undefined)
    return field.type.kind === "record" ? seek(source, field.type.fields, scope, rest, count) : undefined;
  const elements = scope.count(field.count, begin);
  const [element = 0, ...deeper] = rest;
  for (let at = 0; at < Math.min(element, elements); at++) readValue(source, field.type, scope);
  if (element >= elements) return undefined;
  if (deeper.length > 0)
    return field.type.kind === "record" ? seek(source, field.type.fields, scope, deeper, count) : undefined;
  const wanted = count === 0 ? elements - element : count;
  if (element + wanted > elements) return undefined;
  const start = source.offset;
  for (let at = 0; at < wanted; at++) readValue(source, field.type, scope);
  return start;
}
