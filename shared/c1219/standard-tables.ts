import { type FixedBcd, genConfigOf } from "./gen-config.ts";
import { readTable, type TableContext, type TableRecord } from "./table-layout.ts";
import { DECADE_0 } from "./tables/decade-0.ts";
import { DECADE_1 } from "./tables/decade-1.ts";
import { DECADE_2 } from "./tables/decade-2.ts";
import { DECADE_5 } from "./tables/decade-5.ts";
import { DECADE_6 } from "./tables/decade-6.ts";
import { DECADE_7 } from "./tables/decade-7.ts";
import type { StandardTable } from "./tables/table.ts";

/** Standard tables by number. All others are octets, never interpreted. */
export const STANDARD_TABLES: ReadonlyMap<number, StandardTable> = new Map(
  [...DECADE_0, ...DECADE_1, ...DECADE_2, ...DECADE_5, ...DECADE_6, ...DECADE_7].map((table) => [table.number, table]),
);

const FIRST_LOAD_PROFILE_TABLE = 64;

/**
 * Table 0 read by its own first octets; undefined: too short to say how. `fixedBcd`: what it does not say.
 */
export function readGenConfig(octets: Uint8Array, fixedBcd?: FixedBcd): TableContext | undefined {
  const told = genConfigOf(octets);
  const table = STANDARD_TABLES.get(0);
  if (told === undefined || table === undefined) return undefined;
  const config = { ...told, fixedBcd };
  const record = readTable(table.fields, { config, tables: [] }, octets);
  return contextOf({ config, tables: [record] }, new Map([[0, record]]));
}

/** A context with what layouts ask for under other names than the tables have them. */
export function contextOf(base: TableContext, read: ReadonlyMap<number, TableRecord>): TableContext {
  const used = (read.get(0)?.STD_TBLS_USED ?? []) as readonly number[];
  const names: Record<string, TableRecord[string]> = {};
  for (let set = 1; set <= 4; set++) {
    names[`LP_SET${set}_USED`] = used.includes(FIRST_LOAD_PROFILE_TABLE + set - 1);
    names[`LIMITS_SET${set}`] = read.get(61)?.[`SET${set}`];
    names[`SELECTED_SET${set}`] = read.get(62)?.[`SET${set}`];
  }
  return {
    config: base.config,
    tables: [names, ...[...read.entries()].sort(([a], [b]) => b - a).map(([, record]) => record)],
  };
}
