import { SessionError } from "../../metering/failure.ts";
import type { Data } from "../data.ts";

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

/** Neither null nor a difference: the value stands as it is. */
const isPlain = ({ type }: Data): boolean => type !== "null-data" && !type.startsWith("delta-");

function unshortened(entry: readonly Data[], last: readonly (Data | undefined)[], index: number): Row {
  const repeated: (true | undefined)[] = [];
  const cells = entry.map((data, column) => {
    if (isPlain(data)) return data;
    const before = last[column];
    if (data.type !== "null-data") return undelta(before, data, index);
    repeated[column] = true;
    return before;
  });
  return { cells, repeated };
}

const LIMITS = {
  integer: [-0x80, 0x7f],
  long: [-0x8000, 0x7fff],
  "double-long": [-0x8000_0000, 0x7fff_ffff],
  unsigned: [0, 0xff],
  "long-unsigned": [0, 0xffff],
  "double-long-unsigned": [0, 0xffff_ffff],
  long64: [-(2n ** 63n), 2n ** 63n - 1n],
  "long64-unsigned": [0n, 2n ** 64n - 1n],
} as const;

/** The value before plus a difference, in the type of the value before. */
function undelta(before: Data | undefined, data: Data, index: number): Data {
  const type = before?.type;
  if (type === undefined || !(type in LIMITS))
    throw bad(`expected a whole number before the ${data.type} of entry ${index}`);
  const [least, most] = LIMITS[type as keyof typeof LIMITS];
  const difference = data.value as number;
  const value =
    typeof before?.value === "bigint" ? before.value + BigInt(difference) : (before?.value as number) + difference;
  if (value < least || value > most) throw bad(`the ${data.type} of entry ${index} leaves the range of ${type}`);
  return { type, value } as Data;
}

const sizeOf = (data: Data): string => (data.type === "structure" ? `a structure of ${data.value.length}` : data.type);
const bad = (message: string): SessionError =>
  new SessionError("protocol", "dlms.bad-buffer", `the profile's buffer is not as its columns say: ${message}`);
