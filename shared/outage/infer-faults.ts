import type { MeterId } from "../metering/meter.ts";
import { type FedMeter, metersBelow, type NodeKind, type TreeNode } from "./electrical-tree.ts";
import type { Supply } from "./supply.ts";

/** How likely each kind of evidence is. The choices are ours and a deployment's to change: see the decision on outages. */
export interface InferencePolicy {
  /** Share of meters whose last gasp arrives. */
  readonly gaspShare: number;
  /** A loss of supply that is over within it is a momentary interruption, no outage; ms. */
  readonly holdMs: number;
}

export const INFERENCE: InferencePolicy = { gaspShare: 0.65, holdMs: 60_000 };

/** Natural logarithms of odds. */
const PRIOR: Readonly<Record<NodeKind | "service", number>> = {
  feeder: -4,
  lateral: -5,
  transformer: -5.5,
  service: -8,
};
/** In the wake of an outage above, that something below is broken too is far likelier. */
const NESTED = 4;
/** What was found before holds until the evidence speaks against it. */
const STANDING = 6;
const FALSE_GASP = 1e-5;
const ANSWER_WITHOUT_SUPPLY = 1e-5;
const SILENT_WITHOUT_SUPPLY = 0.99;
const SILENT_WITH_SUPPLY = 0.1;
/** Meters that have just come back find their way into the network late. */
const SILENT_AFTER_RESTORATION = 0.3;
const SURE_SILENCES = 2;
const UNSURE = 0.9;
/** Last gasps of one fault lie so close together, ms: meters' clocks differ by some seconds. */
const BURST_MS = 60_000;

/** What is known of a meter besides its supply: it belongs to an outage that is being restored. */
export interface Aftermath {
  readonly restoredAt: number;
  readonly startedAt: number;
  /** Times it was asked since and stayed silent. */
  readonly silences: number;
}

export interface Fault {
  readonly node: string;
  readonly kind: NodeKind | "service";
  /** Clock ms. */
  readonly startedAt: number;
  /** That all below is without supply, and that nothing above is the cause: 0 to 1. */
  readonly confidence: number;
  readonly meters: readonly FedMeter[];
}

export interface InferenceInput {
  readonly tree: TreeNode;
  readonly supply: (meterId: MeterId) => Supply;
  readonly aftermath: (meterId: MeterId) => Aftermath | undefined;
  /** Since when there is an outage of the node. */
  readonly standing: (node: string) => number | undefined;
  /** Since when the meter is in an outage. */
  readonly outSince: (meterId: MeterId) => number | undefined;
  readonly now: number;
  readonly policy: InferencePolicy;
}

interface Best {
  /** Log odds of the best explanation of what is below, against all having supply. */
  readonly score: number;
  readonly faults: readonly Fault[];
}

/**
 * The likeliest set of open devices that explains who is without supply: of each node either all below is out by one
 * fault, or its children and meters are explained one by one. Exact and linear in the tree.
 */
export function inferFaults({
  tree,
  supply,
  aftermath,
  standing,
  outSince,
  now,
  policy,
}: InferenceInput): readonly Fault[] {
  const gasp = Math.log(policy.gaspShare / FALSE_GASP);
  const noGasp = Math.log(1 - policy.gaspShare);
  const answer = Math.log(ANSWER_WITHOUT_SUPPLY);
  const silence = Math.log(SILENT_WITHOUT_SUPPLY / SILENT_WITH_SUPPLY);
  const silenceAfter = Math.log(SILENT_WITHOUT_SUPPLY / SILENT_AFTER_RESTORATION);
  const settled = now - policy.holdMs;

  /** Log odds that the meter is without supply since `since`, by its own evidence. */
  const odds = ({ meterId, gasps }: FedMeter, since: number): number => {
    const { onAt = 0, offAt, silentAt = 0 } = supply(meterId);
    const after = aftermath(meterId);
    if (after !== undefined && onAt < after.restoredAt && (offAt ?? 0) <= after.restoredAt)
      return silentAt > after.restoredAt ? silenceAfter * Math.max(1, after.silences) : 0;
    const silent = silentAt > Math.min(since, outSince(meterId) ?? since) ? silence : 0;
    if (offAt !== undefined) return offAt > settled ? 0 : gasp + silent;
    if (onAt > since + BURST_MS) return answer;
    return silent + (gasps && onAt <= since ? noGasp : 0);
  };
  const newGasp = (meterId: MeterId): number | undefined => {
    const { offAt } = supply(meterId);
    if (offAt === undefined || offAt > settled) return undefined;
    const after = aftermath(meterId);
    return after === undefined || offAt > after.restoredAt ? offAt : undefined;
  };
  /** When a fault of all these may have begun: with the middle one of the last gasps, or with the newest burst of them. */
  const starts = (meters: readonly FedMeter[]): readonly number[] => {
    const times = meters.flatMap(({ meterId }) => newGasp(meterId) ?? []).sort((left, right) => left - right);
    const [newest, middle] = [times.at(-1), times[Math.floor(times.length / 2)]];
    if (newest === undefined || middle === undefined) {
      const former = meters.flatMap(({ meterId }) => aftermath(meterId)?.startedAt ?? []);
      return former.length === 0 ? [] : [Math.min(...former)];
    }
    const burst = times.find((at) => at >= newest - BURST_MS) ?? newest;
    const around = times.find((at) => at >= middle - BURST_MS) ?? middle;
    return [...new Set([around, burst])];
  };
  const isNested = (meters: readonly FedMeter[]): boolean =>
    meters.every(({ meterId }) => aftermath(meterId) !== undefined);

  const allOut = (
    meters: readonly FedMeter[],
    kind: Fault["kind"],
    node: string,
  ): { score: number; startedAt: number } => {
    const since = standing(node);
    const prior = PRIOR[kind] + (isNested(meters) ? NESTED : 0) + (since === undefined ? 0 : STANDING);
    let best = { score: Number.NEGATIVE_INFINITY, startedAt: 0 };
    for (const startedAt of since === undefined ? starts(meters) : [since, ...starts(meters)]) {
      const score = meters.reduce((sum, meter) => sum + odds(meter, startedAt), prior);
      if (score > best.score) best = { score, startedAt };
    }
    return best;
  };

  const service = (meter: FedMeter): Best => {
    const { score, startedAt } = allOut([meter], "service", meter.meterId);
    if (score <= 0) return { score: 0, faults: [] };
    const fault = { node: meter.meterId, kind: "service", startedAt, confidence: score, meters: [meter] } as const;
    return { score, faults: [fault] };
  };
  const explain = (node: TreeNode): Best => {
    const parts = [...node.children.map(explain), ...node.meters.map(service)];
    const apart = parts.reduce((sum, { score }) => sum + score, 0);
    const meters = metersBelow(node);
    // With one branch below nobody can tell whether this one failed or that: the lower one is named.
    const { score, startedAt } =
      parts.length > 1 ? allOut(meters, node.kind, node.name) : { score: Number.NEGATIVE_INFINITY, startedAt: 0 };
    const margin = score - apart;
    if (margin > 0) {
      const fault = { node: node.name, kind: node.kind, startedAt, confidence: margin, meters };
      return { score, faults: [fault] };
    }
    // That the fault is here and not above counts for no more than it is likelier.
    const faults = parts.flatMap((part) =>
      part.faults.map((fault) => ({ ...fault, confidence: Math.min(fault.confidence, Math.max(0, -margin)) })),
    );
    return { score: apart, faults };
  };
  /** Silence alone, once, may be the network's, which comes back later than the supply. */
  const isSure = ({ meters }: Fault): boolean =>
    meters.some(({ meterId }) => (aftermath(meterId)?.silences ?? SURE_SILENCES) >= SURE_SILENCES);
  return explain(tree).faults.map((fault) => {
    const confidence = 1 / (1 + Math.exp(-fault.confidence));
    return { ...fault, confidence: isSure(fault) ? confidence : Math.min(confidence, UNSURE) };
  });
}
