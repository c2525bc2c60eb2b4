import type { FleetColumnStore } from "./fleet-columns.ts";
import { decodeFleetColumns, encodeFleetColumns } from "./fleet-columns-codec.ts";

/** Fleet columns in memory, as octets and under the same condition as the real ones: for simulation and for tests. */
export function memoryFleetColumns(): FleetColumnStore {
  const items = new Map<number, { readonly octets: Uint8Array; readonly version: number }>();
  return {
    async read(segment) {
      const found = items.get(segment);
      return found && { columns: decodeFleetColumns(found.octets), version: found.version };
    },
    async write(segment, columns, was) {
      if ((items.get(segment)?.version ?? 0) !== was) return "conflict";
      items.set(segment, { octets: encodeFleetColumns(columns), version: was + 1 });
      return "written";
    },
    async readMany(segments) {
      return new Map(
        segments.flatMap((segment) => {
          const found = items.get(segment);
          return found === undefined ? [] : [[segment, decodeFleetColumns(found.octets)]];
        }),
      );
    },
  };
}
