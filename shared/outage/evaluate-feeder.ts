import type { MeterId } from "../metering/meter.ts";
import { choosePings, type PingPolicy } from "./choose-pings.ts";
import { metersBelow, type TreeNode } from "./electrical-tree.ts";
import { type Aftermath, type Fault, INFERENCE, type InferencePolicy, inferFaults } from "./infer-faults.ts";
import {
  type Asked,
  type FeederRecord,
  OPEN_STATES,
  type Outage,
  type OutageEvidence,
  type OutageId,
} from "./outage.ts";
import type { Supply } from "./supply.ts";

export interface OutagePolicy extends InferencePolicy, PingPolicy {
  /** From so much confidence on an outage is told to others. */
  readonly confirmFrom: number;
  /** Evidence that does not get that far by then, ms, is taken for what it most likely is. */
  readonly suspectMs: number;
}

export const OUTAGE_POLICY: OutagePolicy = {
  ...INFERENCE,
  confirmFrom: 0.95,
  suspectMs: 300_000,
  pingsMax: 50,
  pingsBelow: 8,
  pingsBeside: 4,
  pingsAgain: 3,
  pingEveryMs: 90_000,
  pingAgainMs: 600_000,
  silencesMax: 3,
};

export interface FeederInput {
  readonly record: FeederRecord;
  readonly tree: TreeNode;
  readonly supply: (meterId: MeterId) => Supply;
  readonly now: number;
  readonly policy: OutagePolicy;
  /** Names an outage: the same node, within the same one, and the same start, the same id. */
  readonly nameOutage: (node: string, startedAt: number) => OutageId;
}

export interface FeederDecision {
  /** Its version is the former one; `outbox` holds what changed now besides what was not told yet. */
  readonly record: FeederRecord;
  readonly changed: boolean;
  /** Meters to be asked whether they have supply. */
  readonly pings: readonly MeterId[];
  /** Interruptions that were over within the hold time and are counted now. */
  readonly momentaries: number;
  /** Something may have to be decided without new evidence. */
  readonly waits: boolean;
}

type Draft = Omit<Outage, "evidence">;

/** What the newest evidence makes of a feeder's outages. Pure: the same evidence again decides the same. */
export function evaluateFeeder(input: FeederInput): FeederDecision {
  const { record, tree, supply, now, policy } = input;
  const meterIds = metersBelow(tree).map(({ meterId }) => meterId);
  const standing = record.open.map((outage) => noteRestoration(outage, supply));
  const wake = wakeOf(standing, meterIds, supply);
  const asked = noteSilences(record.asked, wake, supply);
  const since = new Map<string, number>();
  const outSince = new Map<MeterId, number>();
  for (const { state, node, startedAt, meterIds: affected } of standing) {
    if (state === "restoring") continue;
    if (state === "confirmed") since.set(node, startedAt);
    for (const meterId of affected) outSince.set(meterId, startedAt);
  }
  const aftermath = (meterId: MeterId): Aftermath | undefined => {
    const known = wake.get(meterId);
    return known && { ...known, silences: asked[meterId]?.silences ?? 0 };
  };
  const faults = inferFaults({
    ...{ tree, supply, now, policy, aftermath },
    standing: (node) => since.get(node),
    outSince: (meterId) => outSince.get(meterId),
  });

  const found = faults.map((fault) => draftOf(input, fault, standing));
  const drafts = new Map<OutageId, Draft>(standing.map((outage) => [outage.outageId, outage]));
  for (const draft of found) drafts.set(draft.outageId, draft);
  const matched = new Set(found.map(({ outageId }) => outageId));
  const judged = [...drafts.values()].map((draft) =>
    matched.has(draft.outageId) ? confirmed(draft, input) : unmatched(draft, found, now),
  );
  const before = new Map(record.open.map((outage) => [outage.outageId, outage]));
  const written = judged
    .map((draft) => ended(draft, judged, asked, input))
    .map((draft) => stamped({ ...draft, evidence: evidenceOf(draft, supply) }, before.get(draft.outageId), now));

  const told = written.filter((outage) => outage !== before.get(outage.outageId));
  const open = written.filter(({ state }) => OPEN_STATES.has(state));
  const pings = choosePings({ tree, open, wake, asked, supply, now, policy });
  const { counted, momentaries } = countMomentaries(record.momentaries, meterIds, input);
  const next: FeederRecord = {
    ...record,
    open,
    outbox: [...record.outbox, ...told],
    asked: askedNow(
      asked,
      pings,
      new Set([...wake.keys(), ...open.flatMap((one) => one.meterIds)]),
      now,
      policy.pingAgainMs,
    ),
    momentaries,
  };
  /** Held back for now, or asked and not yet given up. */
  const undecided = meterIds.some((meterId) => {
    const doubted = wake.has(meterId) && (asked[meterId]?.silences ?? 0) < policy.silencesMax;
    return doubted || (supply(meterId).offAt ?? 0) > now - policy.holdMs;
  });
  const changed = JSON.stringify(next) !== JSON.stringify(record);
  return { record: next, changed, pings, momentaries: counted, waits: undecided || open.length > 0 };
}

/** One meter of it that had gone is back, or says so: it is being restored. That others answer may mean that the tree is wrong. */
function noteRestoration(outage: Outage, supply: FeederInput["supply"]): Outage {
  if (outage.state === "restoring") return outage;
  const { gaspedIds, meterIds, startedAt, detectedAt } = outage;
  const gasped = new Set(gaspedIds);
  const back = meterIds.flatMap((meterId) => {
    const { onAt = 0, noticed } = supply(meterId);
    const says = gasped.has(meterId) || noticed === true;
    return onAt > (says ? startedAt : detectedAt) && (says || gasped.size === 0) ? [onAt] : [];
  });
  return back.length === 0 ? outage : { ...outage, state: "restoring", restoredAt: Math.min(...back) };
}

/** What is known of meters in the wake of a restoration, besides how often they were asked. */
export type Wake = ReadonlyMap<MeterId, Omit<Aftermath, "silences">>;

/** Last gasps of one event on the grid lie no further apart, ms. */
const APART_MS = 30_000;

/**
 * Meters of outages under restoration; and those that lost supply together with others that are back by now: notices of
 * restoration are lost as well, so that what their last gasps say has to be asked.
 */
function wakeOf(standing: readonly Outage[], meterIds: readonly MeterId[], supply: FeederInput["supply"]): Wake {
  const wake = new Map<MeterId, Omit<Aftermath, "silences">>();
  const losses = meterIds
    .flatMap((meterId) => {
      const { lostAt, onAt } = supply(meterId);
      return lostAt === undefined ? [] : [{ meterId, lostAt, back: onAt !== undefined }];
    })
    .sort((left, right) => left.lostAt - right.lostAt);
  for (let from = 0, to = 1; from < losses.length; from = to, to++) {
    while (to < losses.length && losses[to]!.lostAt - losses[to - 1]!.lostAt <= APART_MS) to++;
    const together = losses.slice(from, to);
    if (!together.some(({ back }) => back)) continue;
    const known = { startedAt: together[0]!.lostAt, restoredAt: together.at(-1)!.lostAt };
    for (const { meterId, back } of together) if (!back) wake.set(meterId, known);
  }
  for (const { state, meterIds: affected, startedAt, restoredAt } of standing)
    if (state === "restoring" && restoredAt !== undefined)
      for (const meterId of affected) wake.set(meterId, { startedAt, restoredAt });
  return wake;
}

/** A question that a meter in the wake of a restoration has not answered counts once. */
function noteSilences(
  asked: Readonly<Record<string, Asked>>,
  wake: Wake,
  supply: FeederInput["supply"],
): Readonly<Record<string, Asked>> {
  const noted: Record<string, Asked> = {};
  for (const [id, question] of Object.entries(asked)) {
    const meterId = id as MeterId;
    const since = wake.get(meterId)?.restoredAt ?? Number.POSITIVE_INFINITY;
    const before = question.at >= since ? question.silences : 0; // of another restoration
    const silent = !question.noted && question.at >= since && (supply(meterId).silentAt ?? 0) >= question.at;
    noted[meterId] = silent ? { ...question, silences: before + 1, noted: true } : { ...question, silences: before };
  }
  return noted;
}

function draftOf({ now, supply, nameOutage, record }: FeederInput, fault: Fault, standing: readonly Outage[]): Draft {
  const there = standing.find(({ node, state }) => node === fault.node && state !== "restoring");
  const startedAt = Math.min(there?.startedAt ?? fault.startedAt, fault.startedAt);
  const meterIds = fault.meters.map(({ meterId }) => meterId);
  const gasped = new Set(there?.gaspedIds);
  for (const meterId of meterIds) if (supply(meterId).offAt !== undefined) gasped.add(meterId);
  const shown = {
    startedAt,
    // That it stands already makes it likelier; it was told as likely as it was without that.
    confidence: there?.state === "confirmed" ? there.confidence : Math.round(fault.confidence * 1000) / 1000,
    meterIds,
    gaspedIds: meterIds.filter((meterId) => gasped.has(meterId)),
  };
  if (there !== undefined) return { ...there, ...shown };
  const around = standing.find(({ state, meterIds: ids }) => state === "restoring" && ids.includes(meterIds[0]!));
  return {
    // One that was found, and merged, before what is now restored has been told under the plain name.
    outageId: nameOutage(around === undefined ? fault.node : `${fault.node} within ${around.outageId}`, startedAt),
    feeder: record.feeder,
    node: fault.node,
    kind: fault.kind,
    state: "suspected",
    detectedAt: now,
    ...shown,
    ...(around === undefined ? {} : { within: around.outageId }),
    version: 0,
    changedAt: now,
  };
}

function confirmed(draft: Draft, { now, policy }: FeederInput): Draft {
  if (draft.state !== "suspected") return draft;
  const sure = draft.confidence >= policy.confirmFrom || now - draft.detectedAt >= policy.suspectMs;
  return sure ? { ...draft, state: "confirmed" } : draft;
}

/** What the evidence does not show any more: part of something larger, under restoration, or none. */
function unmatched(draft: Draft, found: readonly Draft[], now: number): Draft {
  if (draft.state === "restoring") return draft;
  const larger = found.find(({ meterIds }) => isWithin(draft.meterIds, meterIds));
  return larger === undefined
    ? { ...draft, state: "withdrawn", endedAt: now }
    : { ...draft, state: "merged", endedAt: now, mergedInto: larger.outageId };
}

function isWithin(inner: readonly MeterId[], outer: readonly MeterId[]): boolean {
  const those = new Set(outer);
  return inner.length <= outer.length && inner.every((meterId) => those.has(meterId));
}

/** Restored, once each of its meters is back, in an outage of its own, or was asked in vain often enough. */
function ended(
  draft: Draft,
  all: readonly Draft[],
  asked: Readonly<Record<string, Asked>>,
  { supply, policy }: FeederInput,
): Draft {
  const { state, restoredAt = 0, outageId } = draft;
  if (state !== "restoring") return draft;
  const elsewhere = new Set(
    all.filter((one) => one.outageId !== outageId && OPEN_STATES.has(one.state)).flatMap(({ meterIds }) => meterIds),
  );
  let endedAt = restoredAt;
  for (const meterId of draft.meterIds) {
    const { onAt = 0 } = supply(meterId);
    if (onAt >= restoredAt) endedAt = Math.max(endedAt, onAt);
    else if (!elsewhere.has(meterId) && (asked[meterId]?.silences ?? 0) < policy.silencesMax) return draft;
  }
  return { ...draft, state: "restored", endedAt };
}

function evidenceOf({ meterIds, startedAt }: Draft, supply: FeederInput["supply"]): OutageEvidence {
  const evidence = { meters: meterIds.length, gasped: 0, silent: 0, supplied: 0 };
  for (const meterId of meterIds) {
    const { onAt = 0, offAt, silentAt = 0 } = supply(meterId);
    if (offAt !== undefined) evidence.gasped++;
    else if (onAt > startedAt) evidence.supplied++;
    if (silentAt > startedAt) evidence.silent++;
  }
  return evidence;
}

function stamped(outage: Outage, was: Outage | undefined, now: number): Outage {
  if (was !== undefined && JSON.stringify(outage) === JSON.stringify(was)) return was;
  return { ...outage, version: (was?.version ?? 0) + 1, changedAt: now };
}

function askedNow(
  asked: Readonly<Record<string, Asked>>,
  pings: readonly MeterId[],
  concerned: ReadonlySet<string>,
  now: number,
  keepMs: number,
): Record<string, Asked> {
  const kept = Object.entries(asked).filter(([meterId, { at }]) => concerned.has(meterId) || now - at < keepMs);
  const next: Record<string, Asked> = Object.fromEntries(kept);
  for (const meterId of pings) next[meterId] = { at: now, silences: asked[meterId]?.silences ?? 0, noted: false };
  return next;
}

const DAY_MS = 86_400_000;

/** Interruptions that ended within the hold time, each once: by when it began. */
function countMomentaries(
  known: Readonly<Record<string, number>>,
  meterIds: readonly MeterId[],
  { supply, policy, now }: FeederInput,
): { readonly counted: number; readonly momentaries: Record<string, number> } {
  const momentaries = Object.fromEntries(Object.entries(known).filter(([, at]) => at > now - DAY_MS));
  let counted = 0;
  for (const meterId of meterIds) {
    const { onAt, lostAt } = supply(meterId);
    if (onAt === undefined || lostAt === undefined || onAt < lostAt || onAt - lostAt > policy.holdMs) continue;
    if (lostAt <= now - DAY_MS || (momentaries[meterId] ?? 0) >= lostAt) continue;
    momentaries[meterId] = lostAt;
    counted++;
  }
  return { counted, momentaries };
}
