import { ElectricalNode } from "./electrical-tree.ts";

const COLUMNS = ["node", "kind", "parent", "feeder"] as const;
type Column = (typeof COLUMNS)[number];
export interface NodeProblem {
  /** As in the file; the header is row 1. */
  readonly row: number;
  readonly column: string;
  readonly expected: string;
}

const EXPECTED: Readonly<Record<Column, string>> = {
  node: "1 to 64 letters, digits, '.', '_' or '-', once a feeder",
  kind: "transformer or lateral",
  parent: "another node of the feeder, or the feeder itself",
  feeder: "the name of a feeder",
};

/** Rows of a CSV as electrical nodes, and all that is wrong with others. Columns in any order; none may be missing. */
export function readNodes(rows: readonly { readonly row: number; readonly cells: readonly string[] }[]): {
  readonly nodes: readonly ElectricalNode[];
  readonly problems: readonly NodeProblem[];
} {
  const [header, ...rest] = rows;
  const at = new Map((header?.cells ?? []).map((name, index) => [name.trim(), index]));
  const missing = COLUMNS.filter((column) => !at.has(column));
  if (header === undefined || missing.length > 0)
    return { nodes: [], problems: missing.map((column) => ({ row: 1, column, expected: "a column of this name" })) };
  const nodes = new Map<string, ElectricalNode>();
  const problems: NodeProblem[] = [];
  for (const { row, cells } of rest) {
    const given = Object.fromEntries(COLUMNS.map((column) => [column, cells[at.get(column) ?? -1] ?? ""]));
    const read = ElectricalNode.safeParse(given);
    if (!read.success) {
      const column = COLUMNS.find((one) => one === read.error.issues[0]?.path[0]) ?? "node";
      problems.push({ row, column, expected: EXPECTED[column] });
      continue;
    }
    const key = `${read.data.feeder}\n${read.data.node}`;
    if (nodes.has(key)) problems.push({ row, column: "node", expected: EXPECTED.node });
    else nodes.set(key, read.data);
  }
  return { nodes: [...nodes.values()], problems };
}
