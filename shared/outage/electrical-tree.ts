import { z } from "zod";
import type { MeterId, Place } from "../metering/meter.ts";

const Name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "expected 1 to 64 letters, digits, '.', '_' or '-'");

/** What protects or feeds a part of the grid, from the service transformer up. */
export const NODE_KINDS = ["transformer", "lateral", "feeder"] as const;
export type NodeKind = (typeof NODE_KINDS)[number];

/** A device of the distribution grid and what it hangs on. Meters say by which transformer they are fed. */
export const ElectricalNode = z
  .strictObject({
    node: Name,
    kind: z.enum(["transformer", "lateral"]),
    /** A lateral, or the feeder itself. */
    parent: Name,
    /** The feeder that it is fed by in the normal state of the grid. */
    feeder: Name,
  })
  .refine(({ node, parent, feeder }) => node !== parent && node !== feeder, {
    message: "expected a parent and a feeder other than the node itself",
    path: ["parent"],
  });
export type ElectricalNode = z.infer<typeof ElectricalNode>;

export interface FedMeter {
  readonly meterId: MeterId;
  readonly place: Place;
  readonly transformer?: string | undefined;
  /** Whether its model tells of the loss of supply as it happens; else its silence at that moment says nothing. */
  readonly gasps: boolean;
}

/** A node with what is below it. `meters`: those that hang on it directly. */
export interface TreeNode {
  readonly name: string;
  readonly kind: NodeKind;
  readonly children: readonly TreeNode[];
  readonly meters: readonly FedMeter[];
}

/** Nodes that hang on each other in a ring are hung on the feeder: a tree of real data always comes out. */
const DEPTH_MAX = 16;

/**
 * The tree of a feeder. A transformer that no row describes hangs on the feeder, and so does what hangs on something
 * unknown; meters without a transformer hang on the feeder directly.
 */
export function treeOf(feeder: string, nodes: readonly ElectricalNode[], meters: readonly FedMeter[]): TreeNode {
  const rows = new Map(nodes.filter((one) => one.feeder === feeder).map((one) => [one.node, one]));
  for (const { transformer } of meters)
    if (transformer !== undefined && !rows.has(transformer) && transformer !== feeder)
      rows.set(transformer, { node: transformer, kind: "transformer", parent: feeder, feeder });
  const parentOf = ({ node, parent }: ElectricalNode): string => {
    let above: string | undefined = parent;
    for (let depth = 0; depth < DEPTH_MAX && above !== undefined; depth++) {
      if (above === feeder) return parent;
      if (above === node) return feeder;
      above = rows.get(above)?.parent;
    }
    return feeder;
  };
  const below = new Map<string, ElectricalNode[]>();
  for (const row of rows.values()) {
    const parent = parentOf(row);
    below.set(parent, [...(below.get(parent) ?? []), row]);
  }
  const fed = new Map<string, FedMeter[]>();
  for (const meter of meters) {
    const at = meter.transformer ?? feeder;
    const there = fed.get(at);
    if (there === undefined) fed.set(at, [meter]);
    else there.push(meter);
  }
  const build = (name: string, kind: NodeKind): TreeNode => ({
    name,
    kind,
    children: (below.get(name) ?? [])
      .sort((left, right) => (left.node < right.node ? -1 : 1))
      .map((row) => build(row.node, row.kind)),
    meters: fed.get(name) ?? [],
  });
  return build(feeder, "feeder");
}

export const metersBelow = ({ meters, children }: TreeNode): readonly FedMeter[] => [
  ...meters,
  ...children.flatMap(metersBelow),
];
