import type { Outage } from "../../shared/outage/outage.ts";
import type { Storm, TrueFault } from "./storm.ts";

export interface Score {
  readonly right: number;
  readonly told: number;
  readonly found: number;
  readonly there: number;
  readonly precision: number;
  readonly recall: number;
}

/** An outage is right where its very device was open as it was told; within this, ms. */
const NEAR_MS = 90_000;
/** What is found so long after it happened is still found, ms. */
const LATE_MS = 15 * 60_000;

const score = (right: number, told: number, found: number, there: number): Score => ({
  right,
  told,
  found,
  there,
  precision: told === 0 ? 1 : right / told,
  recall: there === 0 ? 1 : found / there,
});

/** What lasts longer than the hold time and is not hidden behind a larger fault all the while. */
const lasting = ({ faults, meters }: Storm): readonly TrueFault[] =>
  faults.filter((fault) => {
    if (fault.momentary) return false;
    const above = meters.find(({ path }) => path.includes(fault.node))?.path ?? [];
    const larger = above.slice(0, above.indexOf(fault.node));
    return !faults.some(
      (other) => !other.momentary && larger.includes(other.node) && other.from <= fault.from && other.to >= fault.to,
    );
  });

const told = ({ events }: Storm, state: Outage["state"]): readonly Outage[] =>
  events.filter((event) => event.state === state).map(({ outage }) => outage);

/** Of outages that were told: whether the device was open; of devices that were open: whether that was told. */
export function scoreOutages(storm: Storm): Score {
  const faults = lasting(storm);
  const confirmed = told(storm, "confirmed");
  const isRight = ({ node, startedAt, detectedAt }: Outage): boolean =>
    faults.some((fault) => fault.node === node && fault.from <= detectedAt + NEAR_MS && fault.to >= startedAt);
  const isFound = (fault: TrueFault): boolean =>
    confirmed.some(
      ({ node, startedAt, changedAt }) =>
        node === fault.node && changedAt >= fault.from && startedAt <= fault.to && changedAt <= fault.to + LATE_MS,
    );
  return score(confirmed.filter(isRight).length, confirmed.length, faults.filter(isFound).length, faults.length);
}

/** Of restorations that were told: whether all its meters had supply but those of outages told apart; of faults that ended: whether that was told. */
export function scoreRestorations(storm: Storm): Score {
  const faults = lasting(storm);
  const restored = told(storm, "restored");
  const open = (at: number): readonly Outage[] => told(storm, "confirmed").filter(({ changedAt }) => changedAt <= at);
  const byId = new Map<string, (typeof storm.meters)[number]>(storm.meters.map((meter) => [meter.meterId, meter]));
  const isRight = ({ outageId, meterIds, changedAt }: Outage): boolean => {
    const apart = new Set<string>(
      open(changedAt)
        .filter((one) => one.outageId !== outageId)
        .flatMap((one) => one.meterIds),
    );
    return meterIds.every((meterId) => {
      const path = byId.get(meterId)?.path ?? [];
      const out = storm.faults.some(
        ({ node, from, to, momentary }) => !momentary && path.includes(node) && from <= changedAt && changedAt < to,
      );
      return !out || apart.has(meterId);
    });
  };
  const over = faults.filter(
    ({ to }) => to + LATE_MS < Math.max(...storm.faults.map((fault) => fault.to)) + LATE_MS + 1,
  );
  const isFound = ({ node, to }: TrueFault): boolean =>
    restored.some((outage) => outage.node === node && outage.changedAt >= to && outage.changedAt <= to + LATE_MS);
  return score(restored.filter(isRight).length, restored.length, over.filter(isFound).length, over.length);
}
