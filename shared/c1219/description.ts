import { descriptionError, type Expression, parseExpression, Tokens } from "./expression.ts";

/** Some bits of an integer; one bit is a truth. */
export interface Bits {
  readonly name: string;
  readonly first: number;
  readonly last: number;
}

export type FieldType =
  | { readonly kind: "simple"; readonly name: string; readonly length: Expression | undefined }
  | { readonly kind: "bits"; readonly over: string; readonly bits: readonly Bits[] }
  | { readonly kind: "record"; readonly fields: readonly Field[] };

/** One field of a table: a value, a run of them, and the condition under which it is there at all. */
export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly count: Expression | undefined;
  readonly when: Expression | undefined;
}

/**
 * Reads the description of a table's layout:
 *
 *     NAME : TYPE [COUNT] if CONDITION;       TYPE: UINT8, STRING(20), NI_FMAT1, a record's name, { fields }
 *     NAME : UINT16 { FLAG : 0; PART : 1 .. 3; };
 *     record NAME { fields }                  before the fields that use it
 *
 * Counts, lengths and conditions may name fields of the record, of those around it and of the tables it depends on;
 * `SET1.NBR_CHNS` names a field of a record. `#` begins a comment. Throws `HeadraceError` `c1219.description`.
 */
export function parseDescription(text: string): readonly Field[] {
  const tokens = new Tokens(text);
  const records = new Map<string, readonly Field[]>();
  while (tokens.accept("record")) {
    const name = tokens.name();
    tokens.expect("{");
    records.set(name, parseFields(tokens, records, "}"));
  }
  return parseFields(tokens, records, undefined);
}

type Records = ReadonlyMap<string, readonly Field[]>;

function parseFields(tokens: Tokens, records: Records, end: string | undefined): readonly Field[] {
  const fields: Field[] = [];
  while (end === undefined ? tokens.next !== undefined : !tokens.accept(end)) fields.push(parseField(tokens, records));
  return fields;
}

function parseField(tokens: Tokens, records: Records): Field {
  const name = tokens.name();
  tokens.expect(":");
  const type = parseType(tokens, records);
  let count: Expression | undefined;
  if (tokens.accept("[")) {
    count = parseExpression(tokens);
    tokens.expect("]");
  }
  const when = tokens.accept("if") ? parseExpression(tokens) : undefined;
  tokens.expect(";");
  return { name, type, count, when };
}

function parseType(tokens: Tokens, records: Records): FieldType {
  if (tokens.accept("{")) return { kind: "record", fields: parseFields(tokens, records, "}") };
  const name = tokens.name();
  const fields = records.get(name);
  if (fields !== undefined) return { kind: "record", fields };
  if (tokens.accept("{")) return { kind: "bits", over: name, bits: parseBits(tokens, name) };
  if (!tokens.accept("(")) return { kind: "simple", name, length: undefined };
  const length = parseExpression(tokens);
  tokens.expect(")");
  return { kind: "simple", name, length };
}

const WIDTHS: Readonly<Record<string, number>> = { UINT8: 8, UINT16: 16, UINT24: 24, UINT32: 32 };

function parseBits(tokens: Tokens, over: string): readonly Bits[] {
  const width = WIDTHS[over];
  if (width === undefined) throw descriptionError(`expected bits of ${Object.keys(WIDTHS).join(", ")}, got ${over}`);
  const bits: Bits[] = [];
  while (!tokens.accept("}")) {
    const name = tokens.name();
    tokens.expect(":");
    const first = tokens.number();
    const last = tokens.accept("..") ? tokens.number() : first;
    tokens.expect(";");
    if (last < first || last >= width) throw descriptionError(`expected ${name} within ${width} bits`);
    bits.push({ name, first, last });
  }
  return bits;
}
