import type { SliceState } from "../../shared/jobs/slice.ts";
import { FAULT_NAMES, type FaultKind } from "./fault-kinds.ts";

export const SLICE_STATES: readonly SliceState[] = ["planned", "queued", "working", "resting", "closed"];

/** Pairs of slice state and fault that cannot meet, and why. */
const IMPOSSIBLE: Readonly<Record<string, string>> = {};

export type Pairs = Record<string, Record<string, number>>;

export interface Coverage {
  /** Slice state → fault → seeds in which they met. */
  readonly pairs: Pairs;
  readonly visited: number;
  readonly possible: number;
  /** Possible and not visited. */
  readonly missing: readonly string[];
  readonly impossible: Readonly<Record<string, string>>;
}

export const pairOf = (state: SliceState, kind: FaultKind): string => `${state}×${kind}`;

/** `visited`: pair → seeds. */
export function coverageOf(visited: ReadonlyMap<string, number>): Coverage {
  const all = SLICE_STATES.flatMap((state) => FAULT_NAMES.map((kind) => ({ state, kind, pair: pairOf(state, kind) })));
  const possible = all.filter(({ pair }) => IMPOSSIBLE[pair] === undefined);
  const pairs: Pairs = {};
  for (const { state, kind, pair } of possible) pairs[state] = { ...pairs[state], [kind]: visited.get(pair) ?? 0 };
  return {
    pairs,
    visited: possible.filter(({ pair }) => (visited.get(pair) ?? 0) > 0).length,
    possible: possible.length,
    missing: possible.filter(({ pair }) => !visited.has(pair)).map(({ pair }) => pair),
    impossible: IMPOSSIBLE,
  };
}
