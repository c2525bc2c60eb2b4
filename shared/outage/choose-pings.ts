import type { MeterId } from "../metering/meter.ts";
import { type FedMeter, metersBelow, type TreeNode } from "./electrical-tree.ts";
import type { Asked, Outage } from "./outage.ts";
import type { Supply } from "./supply.ts";

export interface PingPolicy {
  /** Meters that are asked at one feeder in one pass. */
  readonly pingsMax: number;
  /** Of one outage, to find out how far it reaches: below its node, and beside it. */
  readonly pingsBelow: number;
  readonly pingsBeside: number;
  /** Of one outage, so often, ms: notices of restoration are lost too. */
  readonly pingsAgain: number;
  readonly pingAgainMs: number;
  /** The same meter is not asked again within, ms. */
  readonly pingEveryMs: number;
  /** A meter that stays silent after so many questions is not waited for any longer. */
  readonly silencesMax: number;
}

export interface PingInput {
  readonly tree: TreeNode;
  readonly open: readonly Outage[];
  /** Meters in the wake of a restoration, which must say themselves how they stand. */
  readonly wake: ReadonlyMap<MeterId, { readonly restoredAt: number }>;
  readonly asked: Readonly<Record<string, Asked>>;
  readonly supply: (meterId: MeterId) => Supply;
  readonly now: number;
  readonly policy: PingPolicy;
}

/**
 * Whom to ask next. First those in the wake of a restoration that did not report, by turns of their transformers, since one
 * answer says something of its neighbours; then, of outages found lately, some of whom nothing is known, below and beside.
 */
export function choosePings({ tree, open, wake, asked, supply, now, policy }: PingInput): readonly MeterId[] {
  const meters = new Map(metersBelow(tree).map((meter) => [meter.meterId, meter]));
  const chosen = new Set<MeterId>();
  const mayAsk = (meterId: MeterId): boolean =>
    !chosen.has(meterId) && now - (asked[meterId]?.at ?? Number.NEGATIVE_INFINITY) >= policy.pingEveryMs;
  const take = (candidates: readonly FedMeter[], most: number): void => {
    let taken = 0;
    for (const { meterId } of byTurns(candidates)) {
      if (taken >= most || chosen.size >= policy.pingsMax) return;
      chosen.add(meterId);
      taken++;
    }
  };
  const missing = [...wake].flatMap(([meterId, { restoredAt }]) => {
    const isMissing =
      mayAsk(meterId) &&
      (supply(meterId).onAt ?? 0) < restoredAt &&
      (asked[meterId]?.silences ?? 0) < policy.silencesMax;
    return isMissing ? (meters.get(meterId) ?? []) : [];
  });
  take(missing, policy.pingsMax);
  for (const outage of open) {
    if (outage.state === "restoring") continue;
    /** Nothing is known of it since the outage began, and it was not asked. */
    const isOpenQuestion = ({ meterId }: FedMeter): boolean => {
      const { onAt = 0, offAt, silentAt = 0 } = supply(meterId);
      const known = offAt !== undefined || onAt > outage.startedAt || silentAt > outage.startedAt;
      return !known && mayAsk(meterId) && (asked[meterId]?.at ?? 0) < outage.detectedAt;
    };
    const alreadyAsked = (those: readonly FedMeter[]): number =>
      those.filter(({ meterId }) => (asked[meterId]?.at ?? 0) >= outage.detectedAt).length;
    const below = outage.meterIds.flatMap((meterId) => meters.get(meterId) ?? []);
    take(below.filter(isOpenQuestion), policy.pingsBelow - alreadyAsked(below));
    const lastAsked = Math.max(outage.detectedAt, ...outage.meterIds.map((meterId) => asked[meterId]?.at ?? 0));
    if (now - lastAsked >= policy.pingAgainMs) take(below, policy.pingsAgain);
    const affected = new Set(outage.meterIds);
    const beside = parentOf(tree, outage.node);
    if (beside === undefined || outage.state !== "suspected") continue;
    const others = metersBelow(beside).filter((meter) => !affected.has(meter.meterId));
    take(others.filter(isOpenQuestion), policy.pingsBeside - alreadyAsked(others));
  }
  return [...chosen];
}

/** One of each transformer, then the next of each. */
function byTurns(meters: readonly FedMeter[]): readonly FedMeter[] {
  const groups = new Map<string, FedMeter[]>();
  for (const meter of meters) {
    const key = meter.transformer ?? "";
    groups.set(key, [...(groups.get(key) ?? []), meter]);
  }
  const rounds: FedMeter[] = [];
  for (let turn = 0; rounds.length < meters.length; turn++)
    for (const group of groups.values()) rounds.push(...group.slice(turn, turn + 1));
  return rounds;
}

/** The node that this one, or this meter, hangs on. */
function parentOf(tree: TreeNode, name: string): TreeNode | undefined {
  if (tree.children.some((child) => child.name === name) || tree.meters.some(({ meterId }) => meterId === name))
    return tree;
  for (const child of tree.children) {
    const found = parentOf(child, name);
    if (found !== undefined) return found;
  }
  return undefined;
}
