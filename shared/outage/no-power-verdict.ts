import { z } from "zod";

/**
 * On whose side the cause lies of a customer's call "no power". `by-order`: the switch is open because it was told to be;
 * that is neither a fault of the grid nor of the house.
 */
export const POWER_VERDICTS = ["utility-side", "customer-side", "by-order", "unknown"] as const;
export type PowerVerdict = (typeof POWER_VERDICTS)[number];

/** What the verdict rests on, in the order of its weight. */
export const VERDICT_REASONS = [
  "outage-known",
  "switch-open-by-order",
  "switch-open-by-itself",
  "load-side-dead",
  "line-side-dead",
  "phase-missing",
  "supply-up-to-the-meter",
  "last-gasp",
  "neighbours-out",
  "meter-silent-neighbours-supplied",
  "meter-dead-module-alive",
  "meter-silent",
  "asking",
] as const;
export type VerdictReason = (typeof VERDICT_REASONS)[number];

export const NeighbourEvidence = z.strictObject({
  asked: z.int().min(0),
  supplied: z.int().min(0),
  silent: z.int().min(0),
  off: z.int().min(0),
});
export type NeighbourEvidence = z.infer<typeof NeighbourEvidence>;

/** What was found, and nothing of it guessed. Voltages in volts, by phase. */
export interface PowerFacts {
  readonly meter: "asking" | "answered" | "module-only" | "silent";
  readonly lineVolts: readonly number[];
  readonly loadVolts: readonly number[];
  /** As the meter's switch was read; absent: it has none, or it was not read. */
  readonly switchOpen?: boolean | undefined;
  /** The newest order to the switch that was carried out told it to be open, or armed. */
  readonly openByOrder: boolean;
  /** Its own last word was that the supply went, after which nothing shows it back. */
  readonly lastGasp: boolean;
  readonly neighbours: NeighbourEvidence;
  /** Neighbours are not all heard yet. */
  readonly waiting: boolean;
  readonly outage: boolean;
}

/** Below this a conductor is dead, whatever is induced on it; the supply of a house is at least 100 V. */
const DEAD_VOLTS = 40;
const isDead = (volts: number): boolean => volts < DEAD_VOLTS;

/** A pure judgement of what was found. `unknown` with `asking` may change; everything else is said once all was heard. */
export function judgeNoPower(facts: PowerFacts): { readonly verdict: PowerVerdict; readonly because: VerdictReason } {
  const { meter, lineVolts, loadVolts, switchOpen, openByOrder, lastGasp, neighbours, waiting, outage } = facts;
  const say = (verdict: PowerVerdict, because: VerdictReason) => ({ verdict, because });
  if (meter === "answered") {
    if (switchOpen === true)
      return openByOrder ? say("by-order", "switch-open-by-order") : say("customer-side", "switch-open-by-itself");
    if (lineVolts.length > 0 && lineVolts.every(isDead)) return say("utility-side", "line-side-dead");
    if (lineVolts.some(isDead)) return say("utility-side", "phase-missing");
    // Its own contacts lead nowhere although they are closed: what is broken belongs to the utility.
    if (loadVolts.length > 0 && loadVolts.every(isDead)) return say("utility-side", "load-side-dead");
    return say("customer-side", "supply-up-to-the-meter");
  }
  if (outage) return say("utility-side", "outage-known");
  if (lastGasp && meter !== "asking") return say("utility-side", "last-gasp");
  if (meter === "asking" || waiting) return say("unknown", "asking");
  const out = neighbours.silent + neighbours.off;
  if (out > 0 && neighbours.supplied === 0 && (neighbours.off > 0 || out >= 2))
    return say("utility-side", "neighbours-out");
  if (meter === "module-only") return say("unknown", "meter-dead-module-alive");
  return neighbours.supplied > 0 ? say("unknown", "meter-silent-neighbours-supplied") : say("unknown", "meter-silent");
}
