import { type Coverage, coverageOf } from "./coverage.ts";
import type { FaultKind } from "./fault-kinds.ts";
import { simulate } from "./simulate.ts";

/** What many seeds came to; two of them add up. */
export interface SeedsSummary {
  seeds: number;
  readonly violations: { readonly seed: number; readonly violation: string }[];
  readonly faults: Partial<Record<FaultKind, number>>;
  /** Pair of slice state and fault → seeds. */
  readonly visited: Map<string, number>;
  steps: number;
  readings: number;
  effects: number;
  readonly switches: { sent: number; verified: number };
  dlms: number;
  /** Slices of one, and generations beyond the first. */
  readonly reached: { splits: number; resends: number; late: number };
  longestRestMs: number;
}

export const noSeeds = (): SeedsSummary => ({
  seeds: 0,
  violations: [],
  faults: {},
  visited: new Map(),
  steps: 0,
  readings: 0,
  effects: 0,
  switches: { sent: 0, verified: 0 },
  dlms: 0,
  reached: { splits: 0, resends: 0, late: 0 },
  longestRestMs: 0,
});

export function add(to: SeedsSummary, other: SeedsSummary): void {
  to.seeds += other.seeds;
  to.violations.push(...other.violations);
  for (const [kind, count] of Object.entries(other.faults) as [FaultKind, number][])
    to.faults[kind] = (to.faults[kind] ?? 0) + count;
  for (const [pair, seeds] of other.visited) to.visited.set(pair, (to.visited.get(pair) ?? 0) + seeds);
  to.steps += other.steps;
  to.readings += other.readings;
  to.effects += other.effects;
  to.switches.sent += other.switches.sent;
  to.switches.verified += other.switches.verified;
  to.dlms += other.dlms;
  to.reached.splits += other.reached.splits;
  to.reached.resends += other.reached.resends;
  to.reached.late += other.reached.late;
  to.longestRestMs = Math.max(to.longestRestMs, other.longestRestMs);
}

/** Simulates one seed and adds it; answers whether its invariants held. */
export async function addSeed(to: SeedsSummary, seed: number, trace?: (line: string) => void): Promise<boolean> {
  const result = await simulate(seed, trace);
  add(to, {
    seeds: 1,
    violations: result.violation === undefined ? [] : [{ seed, violation: result.violation }],
    faults: result.faults,
    visited: new Map([...result.visited].map((pair) => [pair, 1])),
    steps: result.steps,
    readings: result.readings,
    effects: result.effects,
    switches: result.switches,
    dlms: result.dlms ? 1 : 0,
    reached: result.reached,
    longestRestMs: result.restMs,
  });
  return result.violation === undefined;
}

export const coverageIn = ({ visited }: SeedsSummary): Coverage => coverageOf(visited);
