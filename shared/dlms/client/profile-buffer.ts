import { SessionError } from "../../metering/failure.ts";
import type { Data } from "../data.ts";

/** What a cell of a profile's buffer holds once the standard's shortenings are undone. */
export type Cell =
  | { readonly kind: "data"; readonly data: Data }
  /** Null in a column that had no value before: there is none. */
  | { readonly kind: "none" };

const DELTA = {
  "delta-integer": true,
  "delta-long": true,
  "delta-double-long": true,
  "delta-unsigned": true,
  "delta-long-unsigned": true,
  "delta-double-long-unsigned": true,
} as const;

/** The value before plus a difference, in the type of the value before. */
function added(before: Data, difference: number): Data | undefined {
  switch (before.type) {
    case "integer":
    case "long":
    case "double-long":
    case "unsigned":
    case "long-unsigned":
    case "double-long-unsigned":
      return { type: before.type, value: before.value + difference };
    case "long64":
    case "long64-unsigned":
      return { type: before.type, value: before.value + BigInt(difference) };
    default:
      return undefined;
  }
}

export interface Row {
  readonly cells: readonly Cell[];
  /** Columns where null stood for "as in the entry before". */
  readonly repeated: readonly boolean[];
}

/**
 * The entries of a Profile generic buffer, first to last. Null repeats the column's value of the entry before, and a
 * delta type adds to it (IEC 62056-6-2, Profile generic and delta data types). Throws `SessionError` `dlms.bad-buffer`.
 */
export function rowsOf(buffer: Data, columns: number): readonly Row[] {
  const entries =
    buffer.type === "array" ? buffer.value : buffer.type === "compact-array" ? buffer.value.elements : undefined;
  if (entries === undefined) throw bad(`expected an array of entries, got ${buffer.type}`);
  const last: (Data | undefined)[] = new Array(columns).fill(undefined);
  return entries.map((entry, index) => {
    if (entry.type !== "structure" || entry.value.length !== columns)
      throw bad(`expected entry ${index} to be a structure of ${columns}, got ${sizeOf(entry)}`);
    const repeated: boolean[] = [];
    const cells = entry.value.map((data, column): Cell => {
      const before = last[column];
      repeated.push(data.type === "null-data");
      if (data.type === "null-data") return before === undefined ? { kind: "none" } : { kind: "data", data: before };
      const full = data.type in DELTA ? undelta(before, data, index) : data;
      last[column] = full;
      return { kind: "data", data: full };
    });
    return { cells, repeated };
  });
}

function undelta(before: Data | undefined, data: Data, index: number): Data {
  const sum = before === undefined ? undefined : added(before, data.value as number);
  if (sum === undefined) throw bad(`expected a number before the ${data.type} of entry ${index}`);
  return sum;
}

const sizeOf = (data: Data): string => (data.type === "structure" ? `a structure of ${data.value.length}` : data.type);
const bad = (message: string): SessionError =>
  new SessionError("protocol", "dlms.bad-buffer", `the profile's buffer is not as its columns say: ${message}`);
