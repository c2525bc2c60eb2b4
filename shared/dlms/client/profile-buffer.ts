import { SessionError } from "../../metering/failure.ts";
import { equalOctets } from "../../ports/octets.ts";
import { encode } from "../../wire/codec.ts";
import { type Data, DataCodec } from "../data.ts";

export interface Row {
  /** One a column, with the standard's shortenings undone; undefined: null in a column that had no value before. */
  readonly cells: readonly (Data | undefined)[];
  /** True at columns where null stood for "as in the entry before"; shorter where the rest is false. */
  readonly repeated: readonly (true | undefined)[];
}

const NONE_REPEATED: Row["repeated"] = [];

/**
 * The entries of a Profile generic buffer, first to last. Null repeats the column's value of the entry before, and a
 * delta type adds to it (IEC 62056-6-2, Profile generic and delta data types). Throws `SessionError` `dlms.bad-buffer`.
 */
export function rowsOf(buffer: Data, columns: number): readonly Row[] {
  const entries =
    buffer.type === "array" ? buffer.value : buffer.type === "compact-array" ? buffer.value.elements : undefined;
  if (entries === undefined) throw bad(`expected an array of entries, got ${buffer.type}`);
  let last: readonly (Data | undefined)[] = new Array(columns).fill(undefined);
  return entries.map((entry, index) => {
    if (entry.type !== "structure" || entry.value.length !== columns)
      throw bad(`expected entry ${index} to be a structure of ${columns}, got ${sizeOf(entry)}`);
    const plain = entry.value.every(isPlain);
    const row = plain ? { cells: entry.value, repeated: NONE_REPEATED } : unshortened(entry.value, last, index);
    last = row.cells;
    return row;
  });
}

const SHORTENED: ReadonlySet<Data["type"]> = new Set([
  "null-data",
  "delta-integer",
  "delta-long",
  "delta-double-long",
  "delta-unsigned",
  "delta-long-unsigned",
  "delta-double-long-unsigned",
]);
/** Neither null nor a difference: the value stands as it is. */
const isPlain = ({ type }: Data): boolean => !SHORTENED.has(type);

function unshortened(entry: readonly Data[], last: readonly (Data | undefined)[], index: number): Row {
  const repeated: (true | undefined)[] = [];
  const cells: (Data | undefined)[] = [];
  for (let column = 0; column < entry.length; column++) {
    const data = entry[column] as Data;
    const before = last[column];
    if (data.type === "null-data") repeated[column] = true;
    cells.push(data.type === "null-data" ? before : isPlain(data) ? data : undelta(before, data, index));
  }
  return { cells, repeated };
}

const LIMITS: Readonly<Partial<Record<Data["type"], readonly [least: number | bigint, most: number | bigint]>>> = {
  integer: [-0x80, 0x7f],
  long: [-0x8000, 0x7fff],
  "double-long": [-0x8000_0000, 0x7fff_ffff],
  unsigned: [0, 0xff],
  "long-unsigned": [0, 0xffff],
  "double-long-unsigned": [0, 0xffff_ffff],
  long64: [-(2n ** 63n), 2n ** 63n - 1n],
  "long64-unsigned": [0n, 2n ** 64n - 1n],
};

/** How a buffer is shortened: by null where a value repeats (column by column, as `nulls` says), and by delta types. */
export interface Shortening {
  /** True: the column's value of this entry need not be told: it follows from the entry before. */
  readonly nulls: (column: number, entry: number) => boolean;
  readonly deltas: boolean;
}

/** The other direction: entries as a meter that shortens them writes them. A first entry is never shortened. */
export function shortenedRows(entries: readonly (readonly Data[])[], { nulls, deltas }: Shortening): Data {
  const rows = entries.map((cells, entry) => {
    const last = entries[entry - 1];
    const value = cells.map((cell, column): Data => {
      const before = last?.[column];
      if (before === undefined) return cell;
      if (nulls(column, entry)) return { type: "null-data", value: null };
      return deltas ? (deltaOf(before, cell) ?? cell) : cell;
    });
    return { type: "structure", value } as const;
  });
  return { type: "array", value: rows };
}

export const sameData = (left: Data, right: Data): boolean =>
  equalOctets(encode(DataCodec, left), encode(DataCodec, right));

/** The difference in the smallest signed type that holds it and is shorter than the value; undefined: there is none. */
function deltaOf(before: Data, { type, value }: Data): Data | undefined {
  if (before.type !== type || LIMITS[type] === undefined) return undefined;
  const octets = type.startsWith("long64") ? 8 : type.startsWith("double-long") ? 4 : type.startsWith("long") ? 2 : 1;
  const difference = Number(BigInt(value as number | bigint) - BigInt(before.value as number | bigint));
  if (octets > 1 && difference >= -0x80 && difference <= 0x7f) return { type: "delta-integer", value: difference };
  if (octets > 2 && difference >= -0x8000 && difference <= 0x7fff) return { type: "delta-long", value: difference };
  return undefined;
}

/** The value before plus a difference, in the type of the value before. */
function undelta(before: Data | undefined, data: Data, index: number): Data {
  const limits = before && LIMITS[before.type];
  if (before === undefined || limits === undefined)
    throw bad(`expected a whole number before the ${data.type} of entry ${index}`);
  const { type } = before;
  const difference = data.value as number;
  const value =
    typeof before.value === "bigint" ? before.value + BigInt(difference) : (before.value as number) + difference;
  if (value < limits[0] || value > limits[1])
    throw bad(`the ${data.type} of entry ${index} leaves the range of ${type}`);
  return { type, value } as Data;
}

const sizeOf = (data: Data): string => (data.type === "structure" ? `a structure of ${data.value.length}` : data.type);
const bad = (message: string): SessionError =>
  new SessionError("protocol", "dlms.bad-buffer", `the profile's buffer is not as its columns say: ${message}`);
